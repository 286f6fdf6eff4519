"""The selection across messages, by message and position in its text, and its copy as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtGui import QTextCursor

from folkmoot.domain.ids import EntryId
from folkmoot.services.values import Message
from folkmoot.ui.timeline.documents import Body

END = 1 << 30
"""A position behind the last character of any message."""


class Selection:
    """From an anchor to a cursor, each a message and a position; survives inserts around it."""

    def __init__(self, index_of: Callable[[EntryId], int | None]) -> None:
        self._index_of = index_of
        self._anchor: tuple[EntryId, int] | None = None
        self._cursor: tuple[EntryId, int] | None = None

    def clear(self) -> None:
        """Select nothing."""
        self._anchor = self._cursor = None

    def begin(self, message: EntryId, position: int) -> None:
        """Put the anchor; nothing is selected until the cursor moves."""
        self._anchor = self._cursor = (message, position)

    def extend(self, message: EntryId, position: int) -> None:
        """Move the cursor; without an anchor this begins."""
        if self._anchor is None:
            self._anchor = (message, position)
        self._cursor = (message, position)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is selected."""
        return self._ends() is None

    def range_in(self, index: int) -> tuple[int, int] | None:
        """The selected positions of the row at `index`."""
        ends = self._ends()
        if ends is None:
            return None
        (first, start), (last, end) = ends
        if not first <= index <= last:
            return None
        return (start if index == first else 0, end if index == last else END)

    def rows(self) -> range:
        """Indexes of the rows that it touches."""
        ends = self._ends()
        return range(0) if ends is None else range(ends[0][0], ends[1][0] + 1)

    def _ends(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        if self._anchor is None or self._cursor is None or self._anchor == self._cursor:
            return None
        first, last = self._index_of(self._anchor[0]), self._index_of(self._cursor[0])
        if first is None or last is None:
            return None
        ends = sorted(((first, self._anchor[1]), (last, self._cursor[1])))
        return ends[0], ends[1]


def selected_text(
    selection: Selection,
    messages: Sequence[Message],
    body_of: Callable[[int], Body | None],
    heading: Callable[[Message, str], str],
) -> str:
    """What is copied: plain words from one message, or several with author and time each."""
    parts: list[tuple[Message, str]] = []
    for index in selection.rows():
        body = body_of(index)
        chosen = selection.range_in(index)
        if body is not None and chosen is not None:
            words = text_between(body, *chosen)
            if words.strip():
                parts.append((messages[index], words))
    if len(parts) == 1 and len(selection.rows()) == 1:
        return parts[0][1]
    return "\n\n".join(heading(message, words) for message, words in parts)


def text_between(body: Body, start: int, end: int) -> str:
    """The words of a body between two positions."""
    last = body.document.characterCount() - 1
    cursor = QTextCursor(body.document)
    cursor.setPosition(min(start, last))
    cursor.setPosition(min(end, last), QTextCursor.MoveMode.KeepAnchor)
    return cursor.selection().toPlainText().replace("\u2028", "\n")
