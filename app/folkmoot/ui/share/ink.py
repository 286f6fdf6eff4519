"""Pointers and strokes over one shared screen: what is kept, and how it is drawn.

Places are fractions of the shared picture. What others send is bounded: the oldest strokes go when
there are too many. Refuses to fade strokes by itself: the presenter clears them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from folkmoot.services.events import InkDrawn
from folkmoot.ui.theme.avatars import avatar_colour
from folkmoot.ui.theme.fonts import TextStyle, font

Spot = tuple[float, float]
ToPoint = Callable[[Spot], QPointF]
POINTER_S = 3.0
"""A pointer that does not move goes after this long."""
MOST_STROKES = 400
MOST_SPOTS = 4000
"""Of one stroke; what is drawn after them is left out."""
MOST_LENGTH = 200.0
"""Widths of the picture, of all strokes together: long lines cost more than many short ones."""
REACH = 15.0
"""Widths of the picture that one hand may draw in a second; more is no drawing."""
_MOST_POINTERS = 32
_NAME_WIDTH = 150
_HALO = "#ffffff"
BESIDE, _ABOVE = QPointF(12, 16), QPointF(6, -26)
"""Where a name stands from the tip of a pointer, and from the end of a stroke."""


@dataclass(slots=True)
class Stroke:
    """One line, and whose it is."""

    person: bytes
    name: str
    spots: list[Spot] = field(default_factory=list)
    length: float = 0.0
    """In widths of the picture."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where somebody points."""

    person: bytes
    name: str
    spot: Spot
    at_s: float


class _Reach:
    """How far each hand may still draw, filled again as time goes."""

    def __init__(self) -> None:
        self._left: dict[bytes, tuple[float, float]] = {}

    def take(self, device: bytes, way: float, now_s: float) -> bool:
        """Whether `way` may be drawn now."""
        left, at_s = self._left.get(device, (REACH, now_s))
        left = min(REACH, left + (now_s - at_s) * REACH)
        allowed = way <= left
        self._left[device] = (left - way if allowed else left, now_s)
        return allowed


class Ink:
    """Everything that lies over one shared screen."""

    def __init__(self) -> None:
        self.strokes: dict[tuple[bytes, int], Stroke] = {}
        self.pointers: dict[bytes, Pointer] = {}
        self.latest: dict[bytes, tuple[bytes, int]] = {}
        """The stroke that carries somebody's name, by device."""
        self._length = 0.0
        self._reach = _Reach()

    def take(self, event: InkDrawn, now_s: float) -> None:
        """What somebody did; anything unknown is left out."""
        device = bytes(event.device)
        spots = [(_held(x), _held(y)) for x, y in event.places]
        if event.action == "point" and spots:
            if device in self.pointers or len(self.pointers) < _MOST_POINTERS:
                self.pointers[device] = Pointer(event.person, event.name, spots[-1], now_s)
        elif event.action == "gone":
            self.pointers.pop(device, None)
        elif event.action == "stroke" and spots:
            self.pointers.pop(device, None)
            self._draw(device, event, spots, now_s)
        elif event.action == "clear":
            self.strokes.clear()
            self.latest.clear()
            self._length = 0.0

    def _draw(self, device: bytes, event: InkDrawn, spots: Sequence[Spot], now_s: float) -> None:
        key = (device, event.stroke)
        stroke = self.strokes.get(key)
        if stroke is None:
            while len(self.strokes) >= MOST_STROKES:
                self._drop(next(iter(self.strokes)))
            stroke = self.strokes[key] = Stroke(event.person, event.name)
        for spot in spots[: MOST_SPOTS - len(stroke.spots)]:
            last = stroke.spots[-1] if stroke.spots else spot
            way = math.dist(last, spot)
            if self._reach.take(device, way, now_s):
                stroke.spots.append(spot)
                self._length += way
                stroke.length += way
        if not stroke.spots:
            del self.strokes[key]
            return
        self.latest[device] = key
        while self._length > MOST_LENGTH and len(self.strokes) > 1:
            self._drop(next(iter(self.strokes)))

    def _drop(self, key: tuple[bytes, int]) -> None:
        self._length -= self.strokes.pop(key).length

    def expire(self, now_s: float) -> bool:
        """Take away pointers that stood still too long; whether there was one."""
        old = [d for d, pointer in self.pointers.items() if now_s - pointer.at_s >= POINTER_S]
        for device in old:
            del self.pointers[device]
        return bool(old)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is drawn; pointers do not count."""
        return not self.strokes

    def labels(self) -> Iterator[Stroke]:
        """The newest stroke of each who draws: there stands the name."""
        for key in self.latest.values():
            if key in self.strokes:
                yield self.strokes[key]


def _held(fraction: float) -> float:
    return min(1.0, max(0.0, fraction)) if math.isfinite(fraction) else 0.0


def smooth(points: Sequence[QPointF]) -> QPainterPath:
    """A line through the middles between `points`, bent at each of them."""
    path = QPainterPath()
    if not points:
        return path
    path.moveTo(points[0])
    if len(points) == 1:
        path.lineTo(points[0] + QPointF(0.01, 0))  # a dot: a line without length is not drawn
        return path
    for before, after in itertools.pairwise(points[1:]):
        path.quadTo(before, (before + after) / 2)
    path.lineTo(points[-1])
    return path


class InkLayer:
    """Strokes on a clear picture. What was drawn stays; each time only what is new is added, for a
    hand goes on thirty times a second and there may be much already."""

    def __init__(self, width: float) -> None:
        self.width = width
        self.picture: QPixmap | None = None
        self._drawn: dict[tuple[bytes, int], int] = {}

    def reset(self) -> None:
        """The place, or the look, is another one: draw everything anew."""
        self.picture = None

    def draw(
        self, ink: Ink, size: QSize, ratio: float, to_point: ToPoint
    ) -> tuple[bool, list[list[QPointF]]]:
        """Bring the picture up to date; whether it was begun anew, and the lines that were added.
        `size` is logical."""
        anew = self.picture is None or any(key not in ink.strokes for key in self._drawn)
        if anew:
            self.picture = QPixmap(round(size.width() * ratio), round(size.height() * ratio))
            self.picture.setDevicePixelRatio(ratio)
            self.picture.fill(Qt.GlobalColor.transparent)
            self._drawn = {}
        added: list[list[QPointF]] = []
        assert self.picture is not None
        painter: QPainter | None = None
        for key, stroke in ink.strokes.items():
            done = self._drawn.get(key, 0)
            if done >= len(stroke.spots):
                continue
            if painter is None:
                painter = QPainter(self.picture)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            points = [to_point(spot) for spot in stroke.spots[max(0, done - 3) :]]
            paint_line(painter, stroke.person, points, self.width)
            added.append(points)
            self._drawn[key] = len(stroke.spots)
        if painter is not None:
            painter.end()
        return anew, added


def paint_line(painter: QPainter, person: bytes, points: Sequence[QPointF], width: float) -> None:
    """One line of somebody's, with a thin light edge that shows on any ground."""
    path = smooth(points)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    halo = QColor(_HALO)
    halo.setAlphaF(0.75)
    for colour, wide in ((halo, width + 2), (QColor(avatar_colour(person)), width)):
        painter.setPen(QPen(colour, wide, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
        painter.drawPath(path)


def paint_labels(painter: QPainter, ink: Ink, to_point: ToPoint, room: QRectF) -> None:
    """Who drew what: a name at the end of each one's newest stroke."""
    for stroke in ink.labels():
        end = to_point(stroke.spots[-1])
        if room.contains(end):
            paint_name(painter, stroke.person, stroke.name, end + _ABOVE, room)


def label_boxes(ink: Ink, to_point: ToPoint, room: QRectF) -> list[QRectF]:
    """Where `paint_labels` writes."""
    ends = [(stroke.name, to_point(stroke.spots[-1])) for stroke in ink.labels()]
    return [name_box(name, end + _ABOVE, room)[0] for name, end in ends if room.contains(end)]


def paint_pointers(
    painter: QPainter, ink: Ink, to_point: ToPoint, room: QRectF, without: bytes = b""
) -> None:
    """An arrow and a name for each who points, but for the device `without`."""
    for device, pointer in ink.pointers.items():
        tip = to_point(pointer.spot)
        if device == without or not room.contains(tip):
            continue
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(_HALO), 1.5, j=Qt.PenJoinStyle.RoundJoin))
        painter.setBrush(QColor(avatar_colour(pointer.person)))
        painter.drawPolygon(arrow(tip))
        painter.restore()
        paint_name(painter, pointer.person, pointer.name, tip + BESIDE, room)


def arrow(tip: QPointF) -> QPolygonF:
    """A pointer with its tip there, 18 pixels high."""
    shape = ((0, 0), (5.2, 17.5), (8.4, 10.6), (15.4, 8.4))
    return QPolygonF([tip + QPointF(x, y) for x, y in shape])


def name_box(name: str, at: QPointF, room: QRectF) -> tuple[QRectF, str]:
    """Where a name stands, and what of it fits; kept inside `room`."""
    metrics = QFontMetricsF(font(TextStyle.META))
    words = metrics.elidedText(name, Qt.TextElideMode.ElideRight, _NAME_WIDTH)
    box = QRectF(at, at + QPointF(metrics.horizontalAdvance(words) + 14, 20))
    if box.right() > room.right():
        box.moveRight(room.right())
    if box.bottom() > room.bottom():
        box.moveBottom(room.bottom())
    box.moveTo(max(room.left(), box.left()), max(room.top(), box.top()))
    return box, words


def paint_name(painter: QPainter, person: bytes, name: str, at: QPointF, room: QRectF) -> None:
    """A name on its person's colour."""
    box, words = name_box(name, at, room)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(avatar_colour(person)))
    painter.drawRoundedRect(box, 6, 6)
    painter.setFont(font(TextStyle.META))
    painter.setPen(QColor(_HALO))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
    painter.restore()
