"""Which rows are visible and where: an anchor row, a pixel offset, and nothing measured beyond.

The anchor is pinned by the place where its text begins. Whatever is inserted, removed or measured
anew elsewhere, that place stays; only at the end of the list does the view follow arrivals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from folkmoot.domain.ids import EntryId
from folkmoot.ui.timeline.layout import Row


@dataclass(frozen=True, slots=True)
class Placed:
    """A visible row; `top` is its upper edge in the viewport, in whole pixels."""

    index: int
    row: Row
    top: int

    @property
    def bottom(self) -> int:
        """First pixel below the row."""
        return self.top + round(self.row.height)


class Placement:
    """Places rows in a viewport; `row` builds (or finds) the row at an index."""

    def __init__(self, count: Callable[[], int], row: Callable[[int], Row]) -> None:
        self._count = count
        self._row = row
        self._anchor = 0
        self._pin = 0
        self.height = 0
        self.from_top = False
        """Few rows lie at the upper edge (thread pane) and not at the lower one."""
        self.visible: list[Placed] = []
        self.at_end = True

    def to_end(self) -> None:
        """Show the last row's lower edge at the viewport's."""
        last = self._count() - 1
        if last >= 0:
            self._put(last, self.height - round(self._row(last).height))
        self.settle()

    def put(self, index: int, top: int) -> None:
        """Show a row with its upper edge at `top`."""
        self._put(index, top)
        self.settle()

    def reveal(self, index: int) -> None:
        """Scroll as little as needed to show a row whole."""
        for placed in self.visible:
            if placed.index == index and placed.top >= 0 and placed.bottom <= self.height:
                return
        height = round(self._row(index).height)
        above = bool(self.visible) and index <= self.visible[0].index
        fits = height <= self.height
        self.put(index, 0 if above or not fits else self.height - height)

    def scroll(self, pixels: int) -> None:
        """Move towards newer rows by `pixels` (negative: older)."""
        self._pin -= pixels
        self.settle()

    def hold(self, message: EntryId | None = None) -> None:
        """Pin the visible row of `message`, or the first one whose text is in view."""
        for placed in self.visible:
            pin = placed.top + round(placed.row.pin)
            if placed.row.message.id == message or (message is None and pin >= 0):
                self._anchor, self._pin = placed.index, pin
                return

    def shift(self, index: int, inserted: int) -> None:
        """Follow an insertion (or, negative, a removal) of rows at `index`."""
        if inserted > 0:
            if index <= self._anchor:
                self._anchor += inserted
        elif self._anchor >= index - inserted:
            self._anchor += inserted
        elif self._anchor >= index:
            self._anchor = max(0, min(index, self._count() - 1))

    def settle(self) -> None:
        """Find the visible rows around the anchor, without gaps at either end of the list."""
        count = self._count()
        self.visible = []
        if not count:
            self.at_end = True
            return
        index = max(0, min(self._anchor, count - 1))
        top = self._pin - round(self._row(index).pin)
        index, top = self._walk(index, top)
        bottom = self._fill(index, top)
        if bottom < self.height and self.visible[-1].index == count - 1:
            index, top = self._walk(index, top + self.height - bottom, may_gap=True)
            if top > 0 and self.from_top:
                top = 0
            bottom = self._fill(index, top)
        self.at_end = self.visible[-1].index == count - 1 and bottom <= self.height + 1
        self.hold()

    def _put(self, index: int, top: int) -> None:
        self._anchor = index
        self._pin = top + round(self._row(index).pin)

    def _walk(self, index: int, top: int, *, may_gap: bool = False) -> tuple[int, int]:
        """The first row that reaches into the viewport, and its upper edge."""
        while top > 0 and index > 0:
            index -= 1
            top -= round(self._row(index).height)
        if index == 0 and top > 0 and not may_gap:
            top = 0
        last = self._count() - 1
        while index < last and top + round(self._row(index).height) <= 0:
            top += round(self._row(index).height)
            index += 1
        return index, top

    def _fill(self, index: int, top: int) -> int:
        self.visible = []
        count = self._count()
        while index < count and (top < self.height or not self.visible):
            row = self._row(index)
            self.visible.append(Placed(index, row, top))
            top += round(row.height)
            index += 1
        return top
