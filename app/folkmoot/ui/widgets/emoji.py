"""The small list of emoji that the picker offers, with names and shortcodes.

The list is ours (`resources/emoji.json`); any other emoji can still be typed or arrive in a
message. Read only when somebody opens the picker or types a shortcode.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from folkmoot.resources import resource_path

QUICK_REACTIONS = ("👍", "❤️", "😂", "🎉", "👀", "🙏")
"""What the reaction toolbar offers first."""


@dataclass(frozen=True, slots=True)
class Emoji:
    """One emoji: `name` in words, `shortcodes` without colons, `words` to find it by."""

    text: str
    name: str
    shortcodes: tuple[str, ...]
    words: tuple[str, ...]
    group: str

    def rank(self, query: str) -> int:
        """How well `query` (lower case, no colons) fits: 0 best, 9 not at all."""
        if query in self.shortcodes:
            return 0
        if any(code.startswith(query) for code in self.shortcodes):
            return 1
        names = self.name.lower().split()
        if any(word.startswith(query) for word in names):
            return 2
        if any(word.startswith(query) for word in self.words):
            return 3
        return 4 if query in self.name.lower() else 9


class EmojiList:
    """The list in memory."""

    def __init__(self) -> None:
        groups = json.loads(resource_path("emoji.json").read_text(encoding="utf-8"))
        self.all: tuple[Emoji, ...] = tuple(
            Emoji(text, name, tuple(codes), tuple(words), group["group"])
            for group in groups
            for text, name, codes, words in group["emoji"]
        )
        self._by_code = {code: e for e in self.all for code in e.shortcodes}

    def search(self, query: str, limit: int = 200) -> tuple[Emoji, ...]:
        """Those that fit `query`, best first; all of them for an empty one, the quick set first."""
        wanted = query.strip().strip(":").lower()[:64]
        if not wanted:
            quick = tuple(e for text in QUICK_REACTIONS for e in self.all if e.text == text)
            return (quick + tuple(e for e in self.all if e not in quick))[:limit]
        ranked = sorted(
            ((e.rank(wanted), i, e) for i, e in enumerate(self.all)), key=lambda r: (r[0], r[1])
        )
        return tuple(e for rank, _, e in ranked if rank < 9)[:limit]

    def by_shortcode(self, code: str) -> Emoji | None:
        """The emoji called `:code:`."""
        return self._by_code.get(code.lower())
