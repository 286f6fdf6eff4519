"""Which part of a picture is seen, how large, and where: pure geometry, no widgets.

Lengths are device pixels of the viewer and pixels of the picture; places on the picture are
fractions of it, 0 to 1, as they are told to others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, QSize

from folkmoot.services.media_port import WHOLE
from folkmoot.ui.call.pictures import Part

STEP = 1.25
MOST = 8.0
"""Nothing is shown larger than this many times its size, or than this many times fitted."""


@dataclass(frozen=True, slots=True)
class Zoom:
    """A look at a picture of `picture` pixels through a hole of `room` device pixels.

    `scale` is device pixels for each pixel of the picture; 0 shows the whole picture as large as
    it fits. `x` and `y` are the place on the picture in the middle of the hole.
    """

    picture: QSize
    room: QSize
    scale: float = 0.0
    x: float = 0.5
    y: float = 0.5

    @property
    def fit_scale(self) -> float:
        """The scale at which the whole picture just fits."""
        width, height = _sides(self.picture)
        return min(max(1, self.room.width()) / width, max(1, self.room.height()) / height)

    @property
    def is_fitted(self) -> bool:
        """Whether the whole picture is seen."""
        return self.scale <= 0

    @property
    def shown_scale(self) -> float:
        """The scale that is shown."""
        return self.fit_scale if self.is_fitted else self.scale

    @property
    def percent(self) -> int:
        """The scale for a readout: 100 is one device pixel for each of the picture."""
        return max(1, round(self.shown_scale * 100))

    def seen(self) -> QRectF:
        """The part that is seen, in pixels of the picture; on whole pixels, so that 100 % is
        sharp."""
        width, height = _sides(self.picture)
        if self.is_fitted:
            return QRectF(0, 0, width, height)
        wide = min(width, max(1, int(self.room.width() / self.scale)))
        high = min(height, max(1, int(self.room.height() / self.scale)))
        left = min(width - wide, max(0, round(self.x * width - wide / 2)))
        top = min(height - high, max(0, round(self.y * height - high / 2)))
        return QRectF(left, top, wide, high)

    def part(self) -> Part:
        """The part that is seen, as it is asked of the media process."""
        width, height = _sides(self.picture)
        seen = self.seen()
        return (
            round(seen.left() / width * WHOLE),
            round(seen.top() / height * WHOLE),
            round(seen.right() / width * WHOLE),
            round(seen.bottom() / height * WHOLE),
        )

    def box(self) -> QRectF:
        """Where the part is drawn in the hole, on whole device pixels, in its middle."""
        seen, scale = self.seen(), self.shown_scale
        wide = max(1, min(self.room.width(), round(seen.width() * scale)))
        high = max(1, min(self.room.height(), round(seen.height() * scale)))
        return QRectF((self.room.width() - wide) // 2, (self.room.height() - high) // 2, wide, high)

    def place_at(self, point: QPointF) -> tuple[float, float] | None:
        """The place on the picture under a point of the hole; None beside the picture."""
        box, seen = self.box(), self.seen()
        if not box.contains(point):
            return None
        width, height = _sides(self.picture)
        across = (point.x() - box.left()) / box.width()
        down = (point.y() - box.top()) / box.height()
        return (
            min(1.0, (seen.left() + across * seen.width()) / width),
            min(1.0, (seen.top() + down * seen.height()) / height),
        )

    def point_at(self, place: tuple[float, float]) -> QPointF:
        """Where a place on the picture is in the hole; outside of it where it is not seen."""
        box, seen = self.box(), self.seen()
        width, height = _sides(self.picture)
        across = (place[0] * width - seen.left()) / seen.width()
        down = (place[1] * height - seen.top()) / seen.height()
        return QPointF(box.left() + across * box.width(), box.top() + down * box.height())

    def part_box(self, part: Part) -> QRectF:
        """Where another part of the picture (of a picture asked before) lies in the hole."""
        first = self.point_at((part[0] / WHOLE, part[1] / WHOLE))
        return QRectF(first, self.point_at((part[2] / WHOLE, part[3] / WHOLE)))

    def in_room(self, room: QSize) -> Zoom:
        """The same look through another hole."""
        return replace(self, room=room)

    def of_picture(self, picture: QSize) -> Zoom:
        """The same for a picture of another size; what was zoomed is shown whole again."""
        if picture == self.picture:
            return self
        return Zoom(picture, self.room)

    def fitted(self) -> Zoom:
        """All of it."""
        return Zoom(self.picture, self.room)

    def at_scale(self, scale: float, over: QPointF | None = None) -> Zoom:
        """Another scale, never below fitted; what lies at `over` (the middle) stays there."""
        least = self.fit_scale
        scale = min(scale, max(MOST, least * MOST))
        if scale <= least * 1.001:
            return self.fitted()
        over = over or QPointF(self.room.width() / 2, self.room.height() / 2)
        held = self.place_at(over) or (self.x, self.y)
        width, height = _sides(self.picture)
        return replace(
            self,
            scale=scale,
            x=held[0] + (self.room.width() / 2 - over.x()) / scale / width,
            y=held[1] + (self.room.height() / 2 - over.y()) / scale / height,
        )._held()

    def nearer(self, factor: float, over: QPointF | None = None) -> Zoom:
        """Larger by a factor, or smaller below 1; it stops for a moment at 100 %."""
        scale, now = self.shown_scale * factor, self.shown_scale
        if min(now, scale) < 0.999 and max(now, scale) > 1.001:
            scale = 1.0
        return self.at_scale(scale, over)

    def toggled(self, over: QPointF | None = None) -> Zoom:
        """Whole, or 100 % (200 % where the whole is larger than that already)."""
        if not self.is_fitted:
            return self.fitted()
        return self.at_scale(1.0 if self.fit_scale < 0.999 else max(2.0, self.fit_scale * 2), over)

    def moved(self, right: float, down: float) -> Zoom:
        """The picture pulled by so many device pixels."""
        if self.is_fitted:
            return self
        width, height = _sides(self.picture)
        return replace(
            self,
            x=self.x - right / self.scale / width,
            y=self.y - down / self.scale / height,
        )._held()

    def _held(self) -> Zoom:
        """With the middle where the part ends at the edges of the picture."""
        width, height = _sides(self.picture)
        across = min(0.5, self.room.width() / self.scale / width / 2)
        down = min(0.5, self.room.height() / self.scale / height / 2)
        return replace(
            self,
            x=min(1 - across, max(across, self.x)),
            y=min(1 - down, max(down, self.y)),
        )


def _sides(picture: QSize) -> tuple[int, int]:
    """Width and height, 16:9 while the size is not known."""
    if picture.isEmpty():
        return (1920, 1080)
    return (picture.width(), picture.height())
