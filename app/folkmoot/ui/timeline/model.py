"""The window of messages that the timeline holds: a contiguous part of one list.

It changes by exact inserts, removals and replacements, knows how long the whole list is and where
its part begins, and asks for more by signals. The presenter answers later; nothing here waits.
Not a Qt item model: the painted view needs none.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from folkmoot.domain.ids import EntryId
from folkmoot.services.values import Message, Page

WINDOW_LIMIT = 640
"""Messages held after a page came; the far side is dropped."""
_SLACK = 64
"""Single arrivals that may come on top before the far side is dropped again."""


class TimelineModel(QObject):
    """Messages oldest first. `first_ordinal` counts those of the list before the first one held."""

    was_reset = Signal()
    inserted = Signal(int, int)
    """Index and count."""
    removed = Signal(int, int)
    """Index and count."""
    changed = Signal(int)
    """Index of one message that reads otherwise now."""
    moved_on = Signal(int)
    """Only numbers changed: the total, or what lies outside the window; so many are newer."""
    older_wanted = Signal()
    newer_wanted = Signal()
    jump_wanted = Signal(int)
    """Ordinal; -1 for the newest."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Message] = []
        self._index: dict[EntryId, int] | None = None
        self.first_ordinal = 0
        self.total = 0
        self.has_older = False
        self.has_newer = False
        self.first_unread: EntryId | None = None
        self.newest_own: EntryId | None = None
        """The person's last message, while the newest messages are held."""
        self._asked_older = False
        self._asked_newer = False

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Message:
        return self._rows[index]

    @property
    def rows(self) -> Sequence[Message]:
        """What is held, oldest first; do not change it."""
        return self._rows

    def index_of(self, message: EntryId) -> int | None:
        """Where a message is held, None if it is not."""
        if self._index is None:
            self._index = {row.id: i for i, row in enumerate(self._rows)}
        return self._index.get(message)

    def show_page(self, page: Page, first_unread: EntryId | None = None) -> None:
        """Begin anew with a page (another conversation, or a jump)."""
        self._rows = list(page.messages)
        self.first_unread = first_unread
        self._take_edges(page)
        self.first_ordinal = page.first_ordinal
        self._asked_older = self._asked_newer = False
        self._index = None
        self.newest_own = self._find_newest_own()
        self.was_reset.emit()

    def add_older(self, page: Page) -> None:
        """Put a page that was wanted before the first message."""
        self._asked_older = False
        fresh = self._unknown(page)
        self.total = page.total
        self.has_older = page.has_older
        self.first_ordinal = page.first_ordinal
        self._insert(0, fresh)
        self._drop(WINDOW_LIMIT, len(self._rows) - WINDOW_LIMIT)

    def add_newer(self, page: Page) -> None:
        """Put a page that was wanted after the last message."""
        self._asked_newer = False
        fresh = self._unknown(page)
        self.total = page.total
        self.has_newer = page.has_newer
        self._insert(len(self._rows), fresh)
        self._drop(0, len(self._rows) - WINDOW_LIMIT)

    def insert(self, message: Message) -> None:
        """Take in a message that arrived, at its place in time; known ones are replaced."""
        known = self.index_of(message.id)
        if known is not None:
            self.replace(message)
            return
        self.total += 1
        place = bisect.bisect_left(self._rows, message.order, key=lambda row: row.order)
        if place == len(self._rows) and self.has_newer:
            self.moved_on.emit(1)
        elif place == 0 and self.has_older:
            self.first_ordinal += 1
            self.moved_on.emit(0)
        else:
            self._insert(place, [message])
            if len(self._rows) >= WINDOW_LIMIT + _SLACK:
                self._drop(0, len(self._rows) - WINDOW_LIMIT)

    def replace(self, message: Message) -> None:
        """Show a message as it reads now; one that is not held is no matter."""
        index = self.index_of(message.id)
        if index is None or self._rows[index] == message:
            return
        self._rows[index] = message
        self.changed.emit(index)
        self._note_newest_own()

    def remove(self, message: EntryId) -> None:
        """Take a message out (it belongs elsewhere now); a deleted one stays as a line."""
        index = self.index_of(message)
        if index is not None:
            self.total -= 1
            self._take_out(index, 1)

    def set_first_unread(self, message: EntryId | None) -> None:
        """Move the "New" line before `message`, or take it away."""
        before, self.first_unread = self.first_unread, message
        for one in (before, message):
            index = self.index_of(one) if one is not None else None
            if index is not None and before != message:
                self.changed.emit(index)

    def want_older(self) -> None:
        """Ask for the page before, once until it comes."""
        if self.has_older and not self._asked_older:
            self._asked_older = True
            self.older_wanted.emit()

    def want_newer(self) -> None:
        """Ask for the page after, once until it comes."""
        if self.has_newer and not self._asked_newer:
            self._asked_newer = True
            self.newer_wanted.emit()

    def _take_edges(self, page: Page) -> None:
        self.total = page.total
        self.has_older, self.has_newer = page.has_older, page.has_newer

    def _unknown(self, page: Page) -> list[Message]:
        return [m for m in page.messages if self.index_of(m.id) is None]

    def _insert(self, index: int, messages: list[Message]) -> None:
        if not messages:
            self.moved_on.emit(0)
            return
        self._rows[index:index] = messages
        if self._index is not None and index + len(messages) == len(self._rows):
            self._index.update((m.id, index + i) for i, m in enumerate(messages))
        else:
            self._index = None
        self.inserted.emit(index, len(messages))
        self._note_newest_own()

    def _drop(self, index: int, count: int) -> None:
        """Forget `count` messages at one end; they can be asked for again."""
        if count <= 0:
            return
        if index == 0:
            self.first_ordinal += count
            self.has_older = True
        else:
            self.has_newer = True
        self._take_out(index, count)

    def _take_out(self, index: int, count: int) -> None:
        del self._rows[index : index + count]
        self._index = None
        self.removed.emit(index, count)
        self._note_newest_own()

    def _find_newest_own(self) -> EntryId | None:
        if self.has_newer:
            return None
        return next((m.id for m in reversed(self._rows) if m.mine and not m.deleted), None)

    def _note_newest_own(self) -> None:
        """The one before reads otherwise now: it wears no mark any more."""
        before, self.newest_own = self.newest_own, self._find_newest_own()
        if before != self.newest_own:
            for one in (before, self.newest_own):
                index = self.index_of(one) if one is not None else None
                if index is not None:
                    self.changed.emit(index)
