"""What lies over the presenter's own display: a frame around what is shared, and others' ink.

Both let every click through and need no compositor: they are cut to their shape. The frame stands
beside a window or a region, so that it is not in the picture; around a whole display it must lie
in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import (
    QBitmap,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QRegion,
)
from PySide6.QtWidgets import QWidget

from folkmoot.ui.share import ink as inks
from folkmoot.ui.share.boards import Board
from folkmoot.ui.share.places import BORDER, frame_around
from folkmoot.ui.theme.theme import DarkTheme

_FLAGS = (
    Qt.WindowType.Tool
    | Qt.WindowType.FramelessWindowHint
    | Qt.WindowType.WindowStaysOnTopHint
    | Qt.WindowType.BypassWindowManagerHint
    | Qt.WindowType.WindowTransparentForInput
    | Qt.WindowType.WindowDoesNotAcceptFocus
)
_DRAW_MS = 50
_ROOM = 6
"""Around strokes, for their width."""
_LINE = 4.5
"""Without half clear edges a stroke looks thinner than it is."""


class ShareFrame(QWidget):
    """Four borders; dashed while the share is paused."""

    def __init__(self, theme: DarkTheme) -> None:
        super().__init__(None, _FLAGS)
        self._theme = theme
        self.paused = False
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAccessibleName(self.tr("Frame around what you share"))

    def show_around(self, shared: QRect, display: QRect, *, paused: bool) -> None:
        """Stand around `shared` (logical pixels); an empty one hides the frame."""
        outer = frame_around(shared, display)
        if shared.isEmpty() or outer.width() < 3 * BORDER or outer.height() < 3 * BORDER:
            self.hide()
            return
        if outer != self.geometry() or not self.isVisible():
            self.setGeometry(outer)
            whole = QRect(0, 0, outer.width(), outer.height())
            inner = whole.adjusted(BORDER, BORDER, -BORDER, -BORDER)
            self.setMask(QRegion(whole).subtracted(QRegion(inner)))
        self.paused = paused
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The line; what the mask leaves of it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("stage" if self.paused else "accent"))
        if self.paused:
            pen = QPen(self._theme.colour("away_dot"), BORDER, c=Qt.PenCapStyle.FlatCap)
            pen.setDashPattern([4, 3])
            painter.setPen(pen)
            half = BORDER / 2
            painter.drawRect(QRectF(self.rect()).adjusted(half, half, -half, -half))


class InkGlass(QWidget):
    """Strokes and pointers over the shared place; nothing of it is there where nothing is drawn."""

    def __init__(self, board: Board) -> None:
        super().__init__(None, _FLAGS)
        self._board = board
        self._layer = inks.InkLayer(_LINE)
        self._lines = QRegion()
        """The shape of all strokes."""
        self._place = QRect()
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAccessibleName(self.tr("What others draw"))
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_DRAW_MS)
        self._soon.timeout.connect(self.draw)
        board.changed.connect(self._later)

    def show_over(self, shared: QRect) -> None:
        """Lie over `shared` (logical pixels)."""
        if shared != self._place:
            self._place = shared
            if not shared.isEmpty():
                self.setGeometry(shared)
            self._layer.reset()
            self._later()

    def _later(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _point_of(self, spot: inks.Spot) -> QPointF:
        return QPointF(spot[0] * self.width(), spot[1] * self.height())

    def draw(self) -> None:
        """Draw what is new on the board, and cut the window to all of it."""
        ink = self._board.ink
        if self._place.isEmpty() or (ink.is_empty and not ink.pointers):
            self.hide()
            return
        anew, added = self._layer.draw(ink, self.size(), self.devicePixelRatioF(), self._point_of)
        if anew:
            self._lines = QRegion()
        for points in added:
            self._lines += _shape(points)
        shape = QRegion(self._lines)
        room = QRectF(self.rect())
        for box in inks.label_boxes(ink, self._point_of, room):
            shape += _rounded(box)
        for pointer in ink.pointers.values():
            tip = self._point_of(pointer.spot)
            shape += _shape([*inks.arrow(tip).toList(), tip])
            shape += QRegion(inks.arrow(tip).toPolygon())
            box, _ = inks.name_box(pointer.name, tip + inks.BESIDE, room)
            shape += _rounded(box)
        self.setMask(shape)
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """White under the strokes: what is half clear at the edges lies on that."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.white)
        if self._layer.picture is not None:
            painter.drawPixmap(0, 0, self._layer.picture)
        room, ink = QRectF(self.rect()), self._board.ink
        inks.paint_labels(painter, ink, self._point_of, room)
        inks.paint_pointers(painter, ink, self._point_of, room)


def _rounded(box: QRectF) -> QRegion:
    """The pixels of a name."""
    path = QPainterPath()
    path.addRoundedRect(box, 6, 6)
    return QRegion(path.toFillPolygon().toPolygon())


def _shape(points: Sequence[QPointF]) -> QRegion:
    """The pixels of a line and its light edge."""
    path, wide = inks.smooth(points), _LINE + 2
    box = path.boundingRect().toAlignedRect().adjusted(-_ROOM, -_ROOM, _ROOM, _ROOM)
    mask = QBitmap(box.size())
    mask.clear()
    painter = QPainter(mask)
    painter.translate(-box.topLeft())
    pen = QPen(Qt.GlobalColor.color1, wide)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.drawPath(path)
    painter.end()
    return QRegion(mask).translated(box.topLeft())
