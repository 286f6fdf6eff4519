"""What somebody shares, large: zoom, pull, pointer and pen; in the strip it only shows."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QCursor,
    QEnterEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPen,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from folkmoot.ui.call.pictures import Pictures
from folkmoot.ui.call.state import TileState, first_name
from folkmoot.ui.share import ink as inks
from folkmoot.ui.share.boards import Boards, Pen
from folkmoot.ui.share.screen_view import ScreenView
from folkmoot.ui.share.tools import HEIGHT, ShareTools, Tool
from folkmoot.ui.share.zoom import STEP
from folkmoot.ui.theme.avatars import avatar_colour
from folkmoot.ui.theme.theme import Theme

REST_MS = 2500
_INSET = 8
_TAIL = 64
"""What lies further back came back from the node long ago."""
_MIDDLE = Qt.MouseButton.MiddleButton
_ARROWS = {
    Qt.Key.Key_Left: QPoint(1, 0),
    Qt.Key.Key_Right: QPoint(-1, 0),
    Qt.Key.Key_Up: QPoint(0, 1),
    Qt.Key.Key_Down: QPoint(0, -1),
}


class ScreenTile(ScreenView):
    """A shared screen that can be worked with while it is large."""

    full_pressed = Signal()
    pop_out_pressed = Signal()
    switch_pressed = Signal()

    def __init__(
        self,
        state: TileState,
        theme: Theme,
        pictures: Pictures,
        boards: Boards,
        parent: QWidget | None = None,
    ) -> None:
        self._large = False
        self._rate = 0.0
        self._grip: QPointF | None = None
        self._floats = False
        super().__init__(state, theme, pictures, boards, parent)
        self.tools = ShareTools(theme, self)
        self.tools.hide()
        self._pen = Pen(boards, state.key[1], self)
        self._board.strokes_changed.connect(self._pen.settle)
        self.setMouseTracking(True)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._rested)
        tools = self.tools
        tools.tool_chosen.connect(self._use)
        tools.nearer_pressed.connect(lambda: self.zoom_to(self.look.nearer(STEP)))
        tools.farther_pressed.connect(lambda: self.zoom_to(self.look.nearer(1 / STEP)))
        tools.size_pressed.connect(lambda: self.zoom_to(self.look.toggled()))
        tools.full_pressed.connect(self.full_pressed)
        tools.pop_out_pressed.connect(self.pop_out_pressed)
        tools.switch_pressed.connect(self.switch_pressed)
        self._show_caption()

    def show_state(self, state: TileState) -> None:
        """Show the newest."""
        super().show_state(state)
        if hasattr(self, "tools"):
            self._show_caption()

    def show_rate(self, fps: float) -> None:
        """How many pictures came in the last second."""
        self._rate = fps
        self._show_caption()

    def set_large(self, on: bool) -> None:
        """Large: with tools, zoom and ink by hand; small it only shows."""
        if on == self._large:
            return
        self._large = on
        if not on:
            self._put_away()
            self.look = self.look.fitted()
        self.tools.setVisible(on)
        self._place()

    def set_floating(self, on: bool) -> None:
        """On a full display the tools lie over the picture, and go while the hands rest."""
        self._floats = on
        self.tools.set_solid(on)
        self._wake()
        self._place()

    def _wake(self) -> None:
        """The hands move again."""
        if not self._large:
            return
        self.tools.show()
        if self._floats:
            self._rest.start()
        else:
            self._rest.stop()

    def _rested(self) -> None:
        used = self.tools.underMouse() or self.tools.isAncestorOf(self.window().focusWidget())
        self.tools.setVisible(used or not self._floats)
        if used and self._floats:
            self._rest.start()

    @property
    def is_large(self) -> bool:
        """Whether it can be worked with."""
        return self._large

    def tail(self) -> list[inks.Spot]:
        """The stroke that is being drawn here."""
        return self._pen.tail[-_TAIL:] if hasattr(self, "_pen") else []

    def own_pointer(self) -> bytes:
        """Ours, while the cursor is our pointer."""
        if self.tools.tool is not Tool.POINTER or not self.underMouse():
            return b""
        pointers = self._board.ink.pointers.items()
        return next((device for device, p in pointers if p.person == self._boards.me), b"")

    def picture_area(self) -> QRect:
        """The row of tools stands below it."""
        if not self._large or self._floats:
            return self.rect()
        return self.rect().adjusted(_INSET, _INSET, -_INSET, -HEIGHT)

    def _paint_corners(self, painter: QPainter, box: QRectF) -> None:
        if not self._floats:  # a display has no round corners
            super()._paint_corners(painter, box)

    def _place(self) -> None:
        if hasattr(self, "tools"):
            self.tools.setGeometry(0, self.height() - HEIGHT, self.width(), HEIGHT)
        super()._place()

    def _looked(self) -> None:
        super()._looked()
        if hasattr(self, "tools"):
            self.tools.show_size(self.look.percent, fitted=self.look.is_fitted)
            self._point_cursor()

    def _show_caption(self) -> None:
        state = self.state
        if state.is_me:
            words = self.tr("You share this")
        else:
            words = self.tr("{name} shares a screen").format(name=first_name(state.name))
        if state.paused:
            words = self.tr("{name} paused the screen").format(name=first_name(state.name))
            words = self.tr("You paused your screen") if state.is_me else words
        parts = [state.line or words]
        if all(state.size):
            parts.append(f"{state.size[0]}×{state.size[1]}")
        if self._rate >= 1 and not state.paused:
            parts.append(self.tr("{n} fps").format(n=round(self._rate)))
        self.tools.show_caption(" · ".join(parts), paused=state.paused)

    # --- the hand

    def _use(self, tool: Tool) -> None:
        self._pen.lift_pointer()
        if self._pen.is_down:
            self._pen.release()
        self.tools.show_tool(tool)
        self._point_cursor()

    def _put_away(self) -> None:
        self._use(Tool.LOOK)

    def _point_cursor(self) -> None:
        tool = self.tools.tool
        if tool is not Tool.LOOK and self._large:
            self.setCursor(_cursor(tool, self._boards.me, self.devicePixelRatioF()))
        elif self._large and not self.look.is_fitted:
            held = self._grip is not None
            shape = Qt.CursorShape.ClosedHandCursor if held else Qt.CursorShape.OpenHandCursor
            self.setCursor(shape)
        else:
            self.unsetCursor()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a stroke, or take hold of the picture."""
        spot = self.spot_at(event.position())
        left = event.button() == Qt.MouseButton.LeftButton
        if not self._large or spot is None:
            super().mousePressEvent(event)
        elif left and self.tools.tool is Tool.PEN:
            self._pen.press(spot)
            self.update()
        elif (left and self.tools.tool is Tool.LOOK) or event.button() == _MIDDLE:
            self._grip = event.position()
            self._point_cursor()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw, pull, or point."""
        self._wake()
        if self._grip is not None:
            by = (event.position() - self._grip) * self.devicePixelRatioF()
            self._grip = event.position()
            self.zoom_to(self.look.moved(by.x(), by.y()))
            return
        spot = self.spot_at(event.position())
        if self._pen.is_down and spot is not None:
            self._pen.draw(spot)
            self.update()
        elif self._large and self.tools.tool is Tool.POINTER:
            if spot is None:
                self._pen.lift_pointer()
            else:
                self._pen.point(spot)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The stroke, or the pull, is done."""
        if self._grip is not None:
            self._grip = None
            self._point_cursor()
        elif self._pen.is_down:
            self._pen.release()
        else:
            super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Large: all of it, or its own size. Small: make it large."""
        if not self._large:
            super().mouseDoubleClickEvent(event)
        elif self.tools.tool is Tool.PEN:
            self.mousePressEvent(event)
        elif self.spot_at(event.position()) is not None:
            self._grip = None
            corner = QPointF(self.picture_area().topLeft())
            over = (event.position() - corner) * self.devicePixelRatioF()
            self.zoom_to(self.look.toggled(over))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """With Ctrl nearer or farther; without, along the picture."""
        if not self._large:
            super().wheelEvent(event)
            return
        turned = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            factor = STEP ** (turned.y() / 120)
            self.zoom_to(self.look.nearer(factor, self._over(event.position())))
        elif not self.look.is_fitted:
            by = event.pixelDelta() if not event.pixelDelta().isNull() else turned / 2
            ratio = self.devicePixelRatioF()
            self.zoom_to(self.look.moved(by.x() * ratio, by.y() * ratio))
        event.accept()

    def _over(self, point: QPointF) -> QPointF:
        corner = QPointF(self.picture_area().topLeft())
        return (point - corner) * self.devicePixelRatioF()

    def event(self, event: QEvent) -> bool:
        """Two fingers on a touch pad."""
        if isinstance(event, QNativeGestureEvent) and self._large:
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                over = self._over(event.position())
                self.zoom_to(self.look.at_scale(self.look.shown_scale * (1 + event.value()), over))
                return True
            if event.gestureType() == Qt.NativeGestureType.SmartZoomNativeGesture:
                self.zoom_to(self.look.toggled(self._over(event.position())))
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Plus, minus, nought; arrows along the picture; Escape puts the pen away."""
        self._wake()
        key = Qt.Key(event.key())
        if not self._large:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_to(self.look.nearer(STEP))
        elif key == Qt.Key.Key_Minus:
            self.zoom_to(self.look.nearer(1 / STEP))
        elif key == Qt.Key.Key_0:
            self.zoom_to(self.look.toggled())
        elif key in _ARROWS and not self.look.is_fitted:
            step = _ARROWS[key] * round(48 * self.devicePixelRatioF())
            self.zoom_to(self.look.moved(step.x(), step.y()))
        elif key == Qt.Key.Key_Escape and self.tools.tool is not Tool.LOOK:
            self._put_away()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The keyboard came: what it reaches is shown."""
        super().focusInEvent(event)
        self._wake()

    def enterEvent(self, event: QEnterEvent) -> None:
        """The cursor is of the tool."""
        super().enterEvent(event)
        self._point_cursor()

    def leaveEvent(self, event: QEvent) -> None:
        """Nobody points from outside."""
        super().leaveEvent(event)
        self._pen.lift_pointer()
        self.update()

    def leave(self) -> None:
        """The tile goes, and the pointer with it."""
        self._pen.lift_pointer()
        super().leave()


def _cursor(tool: Tool, person: bytes, ratio: float) -> QCursor:
    """The pointer, or the tip of the pen, in one's own colour."""
    picture = QPixmap(round(24 * ratio), round(24 * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor("#ffffff"), 1.5, j=Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(QColor(avatar_colour(person)))
    if tool is Tool.POINTER:
        painter.drawPolygon(inks.arrow(QPointF(2, 2)))
    else:
        painter.drawEllipse(QPointF(12, 12), 4, 4)
    painter.end()
    spot = 2 if tool is Tool.POINTER else 12
    return QCursor(picture, spot, spot)
