"""What somebody shares, as a tile that only shows: the picture, the ink over it, a pause."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QWidget

from folkmoot.services.media_port import SCREEN
from folkmoot.ui.call.pictures import ALL, Part, Pictures, Want
from folkmoot.ui.call.state import TileState
from folkmoot.ui.call.tile import RADIUS, Tile
from folkmoot.ui.share import ink as inks
from folkmoot.ui.share.boards import Board, Boards
from folkmoot.ui.share.zoom import Zoom
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme

LINE = 3.0
"""Width of a stroke on a large tile, in logical pixels."""
_THIN = 1.5


class ScreenView(Tile):
    """Shows the whole of a screen; who works with it can also look at a part (`look`)."""

    def __init__(
        self,
        state: TileState,
        theme: Theme,
        pictures: Pictures,
        boards: Boards,
        parent: QWidget | None = None,
    ) -> None:
        self.look = Zoom(QSize(*state.size), QSize(1, 1))
        self._boards = boards
        self._part: Part = ALL
        self._layer = inks.InkLayer(_THIN)
        self.is_named = True
        """Whether a small one says whose it is."""
        self._board: Board = boards.of(state.key[1])
        super().__init__(state, theme, pictures, parent)
        self._board.changed.connect(self.update)

    def show_state(self, state: TileState) -> None:
        """Show the newest; another thing that is shared is shown whole."""
        super().show_state(state)
        self.zoom_to(self.look.of_picture(QSize(*state.size)))

    @property
    def is_large(self) -> bool:
        """Whether it can be worked with."""
        return False

    def zoom_to(self, look: Zoom) -> None:
        """Look at it so from now on."""
        if look != self.look:
            self.look = look
            self._looked()

    def _looked(self) -> None:
        self._layer.reset()
        self._layer.width = LINE if self.is_large else _THIN
        self._pictures.changed()
        self.update()

    def picture_area(self) -> QRect:
        """Where the picture may stand, in logical pixels."""
        return self.rect()

    def spot_at(self, point: QPointF) -> inks.Spot | None:
        """The place on the shared screen under a point of the tile."""
        ratio = self.devicePixelRatioF()
        return self.look.place_at((point - QPointF(self.picture_area().topLeft())) * ratio)

    def point_of(self, spot: inks.Spot) -> QPointF:
        """Where a place on the shared screen stands in the tile."""
        corner = QPointF(self.picture_area().topLeft())
        return self.look.point_at(spot) / self.devicePixelRatioF() + corner

    def picture_box(self) -> QRectF:
        """Where the picture stands now, in logical pixels."""
        return self._to_logical(self.look.box())

    def _to_logical(self, box: QRectF) -> QRectF:
        ratio = self.devicePixelRatioF()
        corner = QPointF(self.picture_area().topLeft())
        return QRectF(box.topLeft() / ratio + corner, box.size() / ratio)

    def _place(self) -> None:
        ratio = self.devicePixelRatioF()
        area = self.picture_area().size()
        room = QSize(max(1, round(area.width() * ratio)), max(1, round(area.height() * ratio)))
        self.look = self.look.in_room(room)
        self._redraw()
        self._looked()

    def event(self, event: QEvent) -> bool:
        """Another display may have other pixels."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._place()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The same look through another hole."""
        super().resizeEvent(event)
        self._place()

    # --- pictures

    def wanted(self) -> Want | None:
        """The part that is seen, at its size on this display."""
        if not self.is_seen:
            return None
        size = self.look.box().size().toSize()
        return Want(self.peer, size, kind=SCREEN, fit=True, zoom=self.look.part())

    def show_picture(self, picture: QImage, part: Part = ALL) -> None:
        """A new picture, of a part that may be looked at no longer."""
        self._part = part
        super().show_picture(picture)

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Picture, ink, and what is to be said."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.colour("stage"))
        area = self.picture_box()
        painter.save()
        painter.setClipRect(area)
        self._paint_picture(painter, area)
        self._paint_ink(painter, area)
        painter.restore()
        if self.state.line:
            self._paint_still(painter, area, "triangle-alert", self.state.line)
        elif self.state.paused:
            self._paint_still(painter, area, "pause", self.tr("Paused"))
        if self._overlay is None:
            self._overlay = self._draw_overlay()
        painter.drawPixmap(0, 0, self._overlay)

    def _paint_picture(self, painter: QPainter, area: QRectF) -> None:
        if self._picture is None:
            painter.fillRect(area, self.theme.colour("tile"))
            if self.is_large:
                painter.setFont(self.theme.font(TextStyle.LABEL))
                painter.setPen(self.theme.colour("mute"))
                words = self.tr("Waiting for the picture…")
                painter.drawText(area, Qt.AlignmentFlag.AlignCenter, words)
            return
        is_current = self._part == self.look.part()
        box = area if is_current else self._to_logical(self.look.part_box(self._part))
        ratio = self.devicePixelRatioF()
        exact = self._picture.size() == (box.size() * ratio).toSize()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not exact)
        painter.drawImage(box, self._picture)

    def _paint_ink(self, painter: QPainter, area: QRectF) -> None:
        ink, width = self._board.ink, LINE if self.is_large else _THIN
        if not ink.is_empty:
            self._layer.draw(ink, self.size(), self.devicePixelRatioF(), self.point_of)
            if self._layer.picture is not None:
                painter.drawPixmap(0, 0, self._layer.picture)
        if tail := self.tail():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            points = [self.point_of(spot) for spot in tail]
            inks.paint_line(painter, self._boards.me, points, width)
        if self.is_large:
            inks.paint_labels(painter, ink, self.point_of, area)
            inks.paint_pointers(painter, ink, self.point_of, area, self.own_pointer())

    def tail(self) -> list[inks.Spot]:
        """A stroke that is being drawn here."""
        return []

    def own_pointer(self) -> bytes:
        """The device whose pointer is the cursor itself: it needs no second one."""
        return b""

    def _paint_still(self, painter: QPainter, area: QRectF, icon: str, words: str) -> None:
        """The last picture stays to be seen, under a veil that says why."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(area, self.theme.shade("stage", 55))
        font = self.theme.font(TextStyle.STRONG)
        painter.setFont(font)
        wide = painter.fontMetrics().horizontalAdvance(words) + 62
        if area.width() < max(240, wide) or area.height() < 120:
            return
        chip = QRectF(0, 0, wide, 40)
        chip.moveCenter(area.center())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.shade("stage", 88))
        painter.drawRoundedRect(chip, 20, 20)
        picture = self.theme.pixmap(icon, "away_text", 20, self.devicePixelRatioF())
        painter.drawPixmap(QPointF(chip.left() + 16, chip.top() + 10), picture)
        painter.setPen(self.theme.colour("ink"))
        place = chip.adjusted(44, 0, -14, 0)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)

    def _draw_overlay(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        made = QPixmap(round(self.width() * ratio), round(self.height() * ratio))
        made.setDevicePixelRatio(ratio)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect())
        self._paint_corners(painter, box)
        if not self.is_large:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self.theme.colour("line"), 1))
            painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
            if self.is_named:
                self._paint_chip(painter, box)
        painter.end()
        return made
