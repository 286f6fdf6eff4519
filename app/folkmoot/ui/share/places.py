"""Places on the displays: pixels of the whole screen area, and the logical ones of windows.

Pure geometry. Displays are pairs of logical geometry and pixels for each logical one; the corner
of a display is the same in both, as window systems place them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QGuiApplication

Place = tuple[int, int, int, int]
"""Left, top, width, height in pixels of the whole screen area."""
BORDER = 4
LEAST_REGION = 32


@dataclass(frozen=True, slots=True)
class Display:
    """One display: where it is in logical pixels, and how many pixels one of those has."""

    box: QRect
    ratio: float = 1.0

    @property
    def pixels(self) -> QRect:
        """The same in pixels."""
        width, height = self.box.width() * self.ratio, self.box.height() * self.ratio
        return QRect(self.box.left(), self.box.top(), round(width), round(height))


def displays() -> list[Display]:
    """Those of this computer now."""
    return [Display(s.geometry(), s.devicePixelRatio()) for s in QGuiApplication.screens()]


def to_logical(place: Place, there: Sequence[Display]) -> QRect:
    """A place as windows count; empty where it is not known or on no display."""
    pixels = QRect(*place)
    if pixels.isEmpty() or not there:
        return QRect()
    display = max(there, key=lambda d: _area(d.pixels & pixels))
    if not display.pixels.intersects(pixels):
        return QRect()
    corner, ratio = display.box.topLeft(), display.ratio
    left = corner.x() + (pixels.left() - corner.x()) / ratio
    top = corner.y() + (pixels.top() - corner.y()) / ratio
    return QRect(
        round(left), round(top), round(pixels.width() / ratio), round(pixels.height() / ratio)
    )


def to_pixels(box: QRect, display: Display) -> Place:
    """A box on a display in pixels of the whole screen area; even sides, inside the display."""
    corner, ratio = display.box.topLeft(), display.ratio
    whole = display.pixels
    left = max(whole.left(), round(corner.x() + (box.left() - corner.x()) * ratio))
    top = max(whole.top(), round(corner.y() + (box.top() - corner.y()) * ratio))
    width = min(round(box.width() * ratio), whole.right() + 1 - left) // 2 * 2
    height = min(round(box.height() * ratio), whole.bottom() + 1 - top) // 2 * 2
    return (left, top, width, height)


def frame_around(shared: QRect, display: QRect) -> QRect:
    """The outer edge of a frame that lies beside `shared` where the display has room for it."""
    around = shared.adjusted(-BORDER, -BORDER, BORDER, BORDER)
    return around & display


def corner_for(size: QRect, shared: QRect, display: QRect) -> QPoint:
    """Where a bar of this size stands: in the upper right corner of what is shared, or above it
    where there is room, so that it covers none of it."""
    inset = 16
    if shared.isEmpty() or shared.contains(display):
        return QPoint(display.right() - size.width() - inset, display.top() + inset)
    x = min(shared.right() - size.width() + 1, display.right() - size.width() - inset)
    x = max(display.left() + inset, x)
    above = shared.top() - size.height() - BORDER - 8
    below = shared.bottom() + BORDER + 8
    if above >= display.top():
        return QPoint(x, above)
    if below + size.height() <= display.bottom():
        return QPoint(x, below)
    return QPoint(x, max(display.top(), shared.top()) + inset)


def _area(box: QRect) -> int:
    return max(0, box.width()) * max(0, box.height())


class Selection:
    """A box that is drawn, moved and resized inside `room` by a hand or by keys."""

    def __init__(self, room: QRect) -> None:
        self.room = room
        self.box = QRect()
        self._edges = (0, 0)
        self._grip: QPoint | None = None
        self._before = QRect()

    def edges_at(self, point: QPoint, reach: int = 8) -> tuple[int, int] | None:
        """Which edges a point takes hold of: -1, 0, 1 across and down; (0, 0) is the inside."""
        if self.box.isEmpty() or not self.box.adjusted(-reach, -reach, reach, reach).contains(
            point
        ):
            return None
        across = _edge(point.x(), self.box.left(), self.box.right(), reach)
        down = _edge(point.y(), self.box.top(), self.box.bottom(), reach)
        return (across, down)

    def press(self, point: QPoint) -> None:
        """Take hold of an edge or the inside, or begin a new box."""
        edges = self.edges_at(point)
        if edges is None:
            self.box, edges = QRect(point, point), (1, 1)
        self._edges, self._grip, self._before = edges, point, QRect(self.box)

    def drag(self, point: QPoint) -> None:
        """Go on with it."""
        if self._grip is None:
            return
        by = point - self._grip
        if self._edges == (0, 0):
            self.box = self._kept(self._before.translated(by))
        else:
            self.box = self._resized(self._before, self._edges, by) & self.room

    def release(self) -> None:
        """Let go."""
        self._grip = None

    @property
    def is_held(self) -> bool:
        """Whether a hand moves it."""
        return self._grip is not None

    @property
    def is_enough(self) -> bool:
        """Whether it is large enough to be shared."""
        return self.box.width() >= LEAST_REGION and self.box.height() >= LEAST_REGION

    def nudge(self, by: QPoint, *, size: bool) -> None:
        """Keys: move it, or its lower right corner; begins with the middle of the room."""
        if self.box.isEmpty():
            self.box = QRect(0, 0, self.room.width() // 2, self.room.height() // 2)
            self.box.moveCenter(self.room.center())
        elif size:
            grown = self.box.adjusted(0, 0, by.x(), by.y()) & self.room
            if min(grown.width(), grown.height()) >= LEAST_REGION:
                self.box = grown
        else:
            self.box = self._kept(self.box.translated(by))

    def _kept(self, box: QRect) -> QRect:
        x = min(self.room.right() + 1 - box.width(), max(self.room.left(), box.left()))
        y = min(self.room.bottom() + 1 - box.height(), max(self.room.top(), box.top()))
        return QRect(x, y, box.width(), box.height())

    @staticmethod
    def _resized(box: QRect, edges: tuple[int, int], by: QPoint) -> QRect:
        xs, ys = [box.left(), box.right()], [box.top(), box.bottom()]
        if edges[0]:
            xs[0 if edges[0] < 0 else 1] += by.x()
        if edges[1]:
            ys[0 if edges[1] < 0 else 1] += by.y()
        return QRect(QPoint(min(xs), min(ys)), QPoint(max(xs), max(ys)))


def _edge(at: int, first: int, last: int, reach: int) -> int:
    if abs(at - first) <= reach and at - first <= last - at:
        return -1
    return 1 if abs(at - last) <= reach else 0
