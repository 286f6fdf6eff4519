"""Finding whom a text names: ``@`` and a member's name, the longest name that fits."""

from __future__ import annotations

from collections.abc import Mapping

from folkmoot.domain.ids import PersonId

MAX_MENTIONS = 200
"""As many as a body takes (`WIRE.md`)."""


def find_mentions(text: str, names: Mapping[str, PersonId]) -> tuple[PersonId, ...]:
    """The persons of `names` that `text` mentions, each once, in the order of the text.

    Case does not matter. An ``@`` inside a word (an address) and a name that goes on into a longer
    word mention nobody.
    """
    by_name = {name.casefold(): person for name, person in names.items() if name}
    longest_first = sorted(by_name, key=len, reverse=True)
    found: dict[PersonId, None] = {}
    folded = text.casefold()
    at = folded.find("@")
    while at >= 0 and len(found) < MAX_MENTIONS:
        if at == 0 or not folded[at - 1].isalnum():
            name = next((n for n in longest_first if _is_here(folded, at + 1, n)), None)
            if name is not None:
                found[by_name[name]] = None
        at = folded.find("@", at + 1)
    return tuple(found)


def _is_here(text: str, start: int, name: str) -> bool:
    end = start + len(name)
    return text.startswith(name, start) and (end == len(text) or not text[end].isalnum())
