"""What is done to a peer's text before any of it is laid out: bidi controls, length, line breaks.

Peer text is text: no function here (or after) gives it to an HTML engine. Pure functions, no Qt.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

_DROPPED = dict.fromkeys(
    [*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, *range(0x202A, 0x202F)]
)
"""Control characters without a picture, and bidi embeddings and overrides (UAX 9, X1 to X5)."""
_ISOLATES = re.compile("[\u2066-\u2069]")
_PDI = "\u2069"

SHORT_CHARS = 4_000
SHORT_LINES = 60
FULL_CHARS = 8_192
FULL_LINES = 200
FULL_MARKS = 400
_PLAIN_PARAGRAPH = 1_000
"""A longer line is cut into several when a very long text is shown whole: the cost of laying
out one paragraph grows with its square (a word of 32 KiB: 40 ms, in pieces 3 ms)."""

_MARKUP = re.compile(
    r"[*_`~\[\]#>|\\&]|://|www\.|\w@\w"
    r"|^[ \t]*[-+][ \t]|^[ \t]*\d+[.)][ \t]|^ {4}|^\t|^[ \t]*[-=]{2,}",
    re.MULTILINE,
)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_BLOCK = re.compile(r"^\s*(?:[-+*]\s|\d+[.)]\s|>|#{1,6}\s|\||[-=_*]{2,}\s*$)|^(?: {4}|\t)")


def calm(text: str) -> str:
    """Text whose direction controls end with their line and cannot reorder what stands beside it.

    Embeddings and overrides are dropped, isolates are kept and closed, other control characters go.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_DROPPED)
    if _ISOLATES.search(text) is None:
        return text
    return "\n".join(_close_isolates(line) for line in text.split("\n"))


def isolate(text: str) -> str:
    """One line of a peer's (a name) that may stand inside a sentence of ours."""
    return f"\u2068{_close_isolates(calm(text).replace(chr(10), ' '))}{_PDI}"


def _close_isolates(line: str) -> str:
    depth = 0
    kept: list[str] = []
    for char in line:
        if char == _PDI:
            if depth == 0:
                continue
            depth -= 1
        elif "\u2066" <= char <= "\u2068":
            depth += 1
        kept.append(char)
    return "".join(kept) + _PDI * depth


def has_markup(text: str) -> bool:
    """Whether anything in `text` could be markdown; False is certain."""
    return _MARKUP.search(text) is not None


def is_long(text: str) -> bool:
    """Whether a text is shown shortened first."""
    return len(text) > SHORT_CHARS or text.count("\n") >= SHORT_LINES


def shorten(text: str) -> str:
    """The first lines of a long text, ending in an ellipsis, with an open code block closed."""
    lines = text[:SHORT_CHARS].split("\n")[: SHORT_LINES // 2]
    cut = "\n".join(lines)[: SHORT_CHARS // 2].rstrip()
    fences = sum(1 for line in cut.split("\n") if _FENCE.match(line))
    return f"{cut}…\n```" if fences % 2 else f"{cut}…"


def is_cheap_markdown(text: str) -> bool:
    """Whether laying out the whole text as markdown stays far below a frame's worth of time."""
    if len(text) > FULL_CHARS or text.count("\n") > FULL_LINES:
        return False
    return sum(text.count(mark) for mark in "*_`~[") <= FULL_MARKS


def in_pieces(text: str) -> str:
    """A very long text in paragraphs of a good size, for showing it whole as plain text.

    Long lines are cut; short ones are put together with U+2028, since many paragraphs cost too.
    """
    paragraphs: list[str] = []
    gathered: list[str] = []
    size = 0
    for line in itertools.chain.from_iterable(_cut(line) for line in text.split("\n")):
        if gathered and size + len(line) > _PLAIN_PARAGRAPH:
            paragraphs.append("\u2028".join(gathered))
            gathered, size = [], 0
        gathered.append(line)
        size += len(line) + 1
    paragraphs.append("\u2028".join(gathered))
    return "\n".join(paragraphs)


def _cut(line: str) -> Iterator[str]:
    while len(line) > _PLAIN_PARAGRAPH:
        space = line.rfind(" ", _PLAIN_PARAGRAPH // 2, _PLAIN_PARAGRAPH)
        end = space + 1 if space > 0 else _PLAIN_PARAGRAPH
        yield line[:end]
        line = line[end:]
    yield line


def break_lines(text: str) -> str:
    """Markdown in which a line break that somebody typed stays one.

    Inside a paragraph it becomes U+2028, which the markdown reader passes on as it is; before and
    after lists, quotes, headings, tables and code the real line break stays.
    """
    lines = text.split("\n")
    out = [lines[0]]
    fence = _fence(lines[0], "")
    for before, line in itertools.pairwise(lines):
        was_code = bool(fence) or _FENCE.match(before) is not None
        fence = _fence(line, fence)
        joins = not (was_code or fence or not before.strip() or not line.strip())
        if joins and _BLOCK.match(line) is None and _BLOCK.match(before) is None:
            out.append("\u2028" + line.lstrip(" "))
        elif joins and before.lstrip().startswith(">") and line.lstrip().startswith(">"):
            out.append("  \n" + line)
        else:
            out.append("\n" + line)
    return "".join(out)


def _fence(line: str, open_fence: str) -> str:
    """The fence that is open after `line`, "" for none."""
    match = _FENCE.match(line)
    if match is None:
        return open_fence
    mark = match.group(1)
    if not open_fence:
        return mark
    closes = mark[0] == open_fence[0] and len(mark) >= len(open_fence)
    return "" if closes and not line.strip().strip(mark[0]) else open_fence
