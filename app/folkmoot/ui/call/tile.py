"""One participant: picture or avatar, name, muted sign, hand, connection bars, speaking ring."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QContextMenuEvent,
    QFontMetricsF,
    QHelpEvent,
    QHideEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QShowEvent,
    QTransform,
)
from PySide6.QtWidgets import QToolTip, QWidget

from folkmoot.services.media_port import SELF
from folkmoot.ui.call.pictures import ALL, Part, Pictures, Want
from folkmoot.ui.call.state import TileState
from folkmoot.ui.theme.avatars import paint_avatar
from folkmoot.ui.theme.fonts import TextStyle, make_font
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.focus import KeyboardFocus
from folkmoot.ui.widgets.text import plain_tip

RADIUS = 12
_CHIP = 22
_LINE = 20
_BARS = QRectF(0, 0, 14, 12)


class Tile(KeyboardFocus, QWidget):
    """Shows a `TileState`. The keyboard reaches it; Return or a double click asks to pin it."""

    focus_radius = RADIUS
    pin_pressed = Signal()
    menu_wanted = Signal(object)
    """Where, in global coordinates."""

    def __init__(
        self, state: TileState, theme: Theme, pictures: Pictures, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self.state = state
        self.speaks = False
        self._on_top = False
        self._pictures = pictures
        self._picture: QImage | None = None
        self._overlay: QPixmap | None = None
        self.reaction = ""
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.show_state(state)
        pictures.add(self)

    def show_state(self, state: TileState) -> None:
        """Show the newest."""
        camera_was = self.state.camera
        self.state = state
        self.setAccessibleName(state.accessible)
        if not state.camera:
            self._picture = None
        if camera_was != state.camera:
            self._pictures.changed()
        self._redraw()

    def show_speaking(self, on: bool) -> None:
        """Whether a ring says that somebody speaks."""
        if on != self.speaks:
            self.speaks = on
            self._redraw()

    def show_reaction(self, emoji: str) -> None:
        """An emoji beside the name; empty takes it away."""
        self.reaction = emoji
        self._redraw()

    def set_on_top(self, on: bool) -> None:
        """Whether the tile lies over another one, which shows at its corners."""
        if on != self._on_top:
            self._on_top = on
            self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent, not on)
            self._redraw()

    def leave(self) -> None:
        """The tile goes."""
        self._pictures.remove(self)
        self.hide()
        self.deleteLater()

    # --- pictures

    def wanted(self) -> Want | None:
        """As `pictures.Viewer`: nothing while nobody sees the tile."""
        if not self.state.camera or not self.is_seen:
            return None
        ratio = self.devicePixelRatioF()
        size = QSize(round(self.width() * ratio), round(self.height() * ratio))
        return Want(self.peer, size, self.state.is_me)

    @property
    def is_seen(self) -> bool:
        """Whether anybody can see the tile."""
        return self.isVisible() and not self.window().isMinimized() and not self.size().isEmpty()

    @property
    def peer(self) -> bytes:
        """Whose pictures are shown."""
        return SELF if self.state.is_me else self.state.key[1]

    def show_picture(self, picture: QImage, part: Part = ALL) -> None:
        """A new picture; nothing but the picture is drawn anew."""
        first = self._picture is None
        self._picture = picture
        if first:
            self._overlay = None
        self.update()

    @property
    def has_picture(self) -> bool:
        """Whether a picture is shown."""
        return self._picture is not None

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture, then what lies over it (drawn once for each state)."""
        painter = QPainter(self)
        if self._on_top:
            self._paint_rounded(painter)
        elif self._picture is not None:
            painter.drawImage(QRectF(self.rect()), self._picture, self._cut(self._picture))
        else:
            painter.fillRect(self.rect(), self.theme.colour("tile"))
        if self._overlay is None:
            self._overlay = self._draw_overlay()
        painter.drawPixmap(0, 0, self._overlay)

    def _paint_rounded(self, painter: QPainter) -> None:
        """The same with nothing drawn outside the corners: a sibling shows there."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.colour("tile"))
        if self._picture is not None:
            cut = self._cut(self._picture)
            scale = QTransform.fromScale(self.width() / cut.width(), self.height() / cut.height())
            brush = QBrush(self._picture.copy(cut.toRect()))
            brush.setTransform(scale)
            painter.setBrush(brush)
        painter.drawRoundedRect(QRectF(self.rect()), RADIUS, RADIUS)

    def _cut(self, picture: QImage) -> QRectF:
        """The part of the picture that fills the tile: all of it, unless the tile just changed."""
        width, height = picture.width(), picture.height()
        want = self.width() / max(1, self.height())
        if abs(width / height - want) < 0.01:
            return QRectF(0, 0, width, height)
        if width / height > want:
            cut = height * want
            return QRectF((width - cut) / 2, 0, cut, height)
        cut = width / want
        return QRectF(0, (height - cut) / 2, width, cut)

    def _redraw(self) -> None:
        self._overlay = None
        self.update()

    def _draw_overlay(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        made = QPixmap(round(self.width() * ratio), round(self.height() * ratio))
        made.setDevicePixelRatio(ratio)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect())
        if self._picture is None:
            self._paint_person(painter, box)
        if self._on_top:
            painter.setPen(QPen(self.theme.colour("side"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), RADIUS - 1, RADIUS - 1)
        else:
            self._paint_corners(painter, box)
        if not self.state.rings and (self.state.key[1] or self.state.is_me):
            self._paint_chip(painter, box)
            self._paint_bars(painter, box)
        if self.speaks:
            painter.setPen(QPen(self.theme.colour("accent"), 2.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(1.25, 1.25, -1.25, -1.25), RADIUS - 1, RADIUS - 1)
        painter.end()
        return made

    def _paint_person(self, painter: QPainter, box: QRectF) -> None:
        line = self.state.line
        side = min(112.0, max(28.0, round(min(box.height() * 0.42, box.width() * 0.4))))
        top, below = person_places(box.height(), side, bool(line))
        if top is not None:
            face = QRectF(box.center().x() - side / 2, top, side, side)
            paint_avatar(painter, face, self.state.name, self.state.key[0])
        if line:
            painter.setFont(self.theme.font(TextStyle.META))
            painter.setPen(self.theme.colour("mute"))
            place = QRectF(8, below, box.width() - 16, _LINE)
            metrics = QFontMetricsF(painter.font())
            shown = metrics.elidedText(line, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, shown)

    def _paint_corners(self, painter: QPainter, box: QRectF) -> None:
        """The ground shows outside the rounded corners."""
        outside, inside = QPainterPath(), QPainterPath()
        outside.addRect(box)
        inside.addRoundedRect(box, RADIUS, RADIUS)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.colour("side"))
        painter.drawPath(outside.subtracted(inside))

    def _paint_chip(self, painter: QPainter, box: QRectF) -> None:
        """Name, with the signs of a closed microphone, a raised hand, a reaction."""
        state, ratio = self.state, self.devicePixelRatioF()
        font = self.theme.font(TextStyle.META)
        metrics = QFontMetricsF(font)
        before = [("mic-off", "bad_text")] if state.muted else []
        before += [("monitor-up", "ink")] if state.shares or state.is_screen else []
        before += [("pause", "away_text")] if state.paused else []
        signs = 17 * len(before) + (18 if state.hand else 0) + (20 if self.reaction else 0)
        room = box.width() - 16 - 14 - signs
        if room < 16:
            return
        name = metrics.elidedText(state.shown_name, Qt.TextElideMode.ElideRight, room)
        width = metrics.horizontalAdvance(name) + 14 + signs
        inset = 8 if box.width() > 140 else 5
        chip = QRectF(inset, box.height() - inset - _CHIP, width, _CHIP)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.shade("stage", 74))
        painter.drawRoundedRect(chip, 6, 6)
        x = chip.left() + 7
        for icon, token in before:
            picture = self.theme.pixmap(icon, token, 13, ratio)
            painter.drawPixmap(QPointF(x, chip.top() + 4.5), picture)
            x += 17
        painter.setFont(font)
        painter.setPen(self.theme.colour("ink"))
        place = QRectF(x, chip.top(), chip.right() - x, _CHIP)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, name)
        x += metrics.horizontalAdvance(name) + 5
        if state.hand:
            picture = self.theme.pixmap("hand", "away_text", 13, ratio)
            painter.drawPixmap(QPointF(x, chip.top() + 4.5), picture)
            x += 18
        if self.reaction:
            painter.setFont(make_font(13))
            place = QRectF(x, chip.top(), 20, _CHIP)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, self.reaction)

    def bars_box(self) -> QRectF:
        """Where the connection bars are."""
        return QRectF(self.width() - 24, 9, _BARS.width(), _BARS.height())

    def _paint_bars(self, painter: QPainter, box: QRectF) -> None:
        if self.state.quality and box.width() >= 100:
            place = self.bars_box()
            if self._picture is not None:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(self.theme.shade("stage", 60))
                painter.drawRoundedRect(place.adjusted(-5, -4, 5, 4), 6, 6)
            paint_bars(painter, place, self.state.quality, self.theme)

    # --- input

    def event(self, event: QEvent) -> bool:
        """The bars say why."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            near = self.bars_box().adjusted(-10, -9, 10, 10)
            words = self.state.quality_words if near.contains(QPointF(event.pos())) else ""
            if words:
                QToolTip.showText(event.globalPos(), plain_tip(words), self)
            else:
                QToolTip.hideText()
            return True
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._overlay = None
            self._pictures.changed()
        return super().event(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Pin, or let go."""
        self.pin_pressed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return pins; the menu key opens the menu."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.pin_pressed.emit()
        elif event.key() == Qt.Key.Key_Menu:
            self.menu_wanted.emit(self.mapToGlobal(self.rect().center()))
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done with this one."""
        self.menu_wanted.emit(event.globalPos())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another size of picture is wanted."""
        super().resizeEvent(event)
        self._overlay = None
        self._pictures.changed()

    def showEvent(self, event: QShowEvent) -> None:
        """Pictures are wanted now."""
        super().showEvent(event)
        self._pictures.changed()

    def hideEvent(self, event: QHideEvent) -> None:
        """None are wanted any more."""
        super().hideEvent(event)
        self._pictures.changed()


def paint_bars(painter: QPainter, box: QRectF, quality: int, theme: Theme) -> None:
    """Three bars, as many of them full as the connection is good; the token says it once more."""
    token = {3: "ok_dot", 2: "away_dot"}.get(quality, "bad_text")
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    width = 2.5
    step = (box.width() - width) / 2
    for bar in range(3):
        height = box.height() * (0.4 + 0.3 * bar)
        painter.setBrush(theme.colour(token) if bar < quality else theme.shade("mute", 35))
        place = QRectF(box.left() + bar * step, box.bottom() - height, width, height)
        painter.drawRoundedRect(place, 1.2, 1.2)
    painter.restore()


def person_places(height: float, side: float, line: bool) -> tuple[float | None, float]:
    """Where in a tile of `height` the face of `side` begins (None: there is no room for it), and
    where the line under it, which ends above the name in the corner."""
    top = height / 2 - side / 2
    if not line:
        return (top if height >= 72 else None), 0.0
    below = min(top + side - 4, max(0.0, height - _CHIP - 10 - _LINE))
    top = min(top - 16, below - side - 2)
    return (top if height >= 72 and top >= 2 else None), below
