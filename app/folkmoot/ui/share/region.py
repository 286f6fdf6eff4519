"""A part of a display is chosen with the mouse or the keys, over a picture of what is there.

Needs no compositor: the ground is a picture that was taken just before. One overlay on each
display; Escape on any of them drops all.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QCursor,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QScreen,
)
from PySide6.QtWidgets import QHBoxLayout, QWidget

from folkmoot.ui.share.places import Display, Place, Selection, to_pixels
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import DarkTheme
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.surfaces import Card

_FLAGS = (
    Qt.WindowType.FramelessWindowHint
    | Qt.WindowType.WindowStaysOnTopHint
    | Qt.WindowType.BypassWindowManagerHint
)
_HANDLE = 9
_STEPS = {
    Qt.Key.Key_Left: QPoint(-8, 0),
    Qt.Key.Key_Right: QPoint(8, 0),
    Qt.Key.Key_Up: QPoint(0, -8),
    Qt.Key.Key_Down: QPoint(0, 8),
}
_CURSORS = {
    (0, 0): Qt.CursorShape.SizeAllCursor,
    (1, 1): Qt.CursorShape.SizeFDiagCursor,
    (-1, -1): Qt.CursorShape.SizeFDiagCursor,
    (1, -1): Qt.CursorShape.SizeBDiagCursor,
    (-1, 1): Qt.CursorShape.SizeBDiagCursor,
    (1, 0): Qt.CursorShape.SizeHorCursor,
    (-1, 0): Qt.CursorShape.SizeHorCursor,
    (0, 1): Qt.CursorShape.SizeVerCursor,
    (0, -1): Qt.CursorShape.SizeVerCursor,
}


class RegionOverlay(QWidget):
    """The overlay on one display."""

    began = Signal()
    """A box was begun here: those on other displays go."""
    chosen = Signal(object)
    dropped = Signal()

    def __init__(self, ground: QPixmap, display: Display, theme: DarkTheme) -> None:
        super().__init__(None, _FLAGS)
        theme.dress(self)
        self._theme = theme
        self._ground = ground
        self._display = display
        self.setGeometry(display.box)
        self.selection = Selection(QRect(0, 0, display.box.width(), display.box.height()))
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Choose the part of the screen to share"))
        self.bar = Card(theme, parent=self)
        line = QHBoxLayout(self.bar)
        line.setContentsMargins(8, 8, 8, 8)
        line.setSpacing(8)
        self.cancel = Button(self.tr("Cancel (Esc)"), theme, height=36)
        self.cancel.clicked.connect(self.dropped)
        self.confirm = Button(
            self.tr("Share this part"), theme, ButtonKind.PRIMARY, icon="monitor-up", height=36
        )
        self.confirm.clicked.connect(self._confirm)
        for button in (self.cancel, self.confirm):
            button.setCursor(Qt.CursorShape.ArrowCursor)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keys belong to the box
            line.addWidget(button)
        self.bar.hide()

    def size_words(self) -> str:
        """How large the chosen part is, in pixels of the display."""
        place = self.place()
        return f"{place[2]} × {place[3]}"

    def place(self) -> Place:
        """The chosen part."""
        return to_pixels(self.selection.box.translated(self._display.box.topLeft()), self._display)

    def clear(self) -> None:
        """A box was begun on another display."""
        self.selection.box = QRect()
        self._follow()

    def _confirm(self) -> None:
        if self.selection.is_enough:
            self.chosen.emit(self.place())

    def _follow(self) -> None:
        """The buttons stand under the box, or in it where there is no room."""
        box = self.selection.box
        shown = not self.selection.is_held and self.selection.is_enough
        self.bar.setVisible(shown)
        if shown:
            size = self.bar.sizeHint()
            y = box.bottom() + 12
            if y + size.height() > self.height():
                y = box.bottom() - size.height() - 12
            x = min(self.width() - size.width() - 8, max(8, box.center().x() - size.width() // 2))
            self.bar.setGeometry(QRect(QPoint(x, y), size))
            self.setAccessibleDescription(self.size_words())
        self.update()

    # --- input

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin, or take hold."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.began.emit()
            self.selection.press(event.position().toPoint())
            self._follow()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw, move, resize."""
        point = event.position().toPoint()
        if self.selection.is_held:
            self.selection.drag(point)
            self._follow()
        else:
            edges = self.selection.edges_at(point)
            cross = Qt.CursorShape.CrossCursor
            self.setCursor(cross if edges is None else _CURSORS[edges])

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go; what is too small was a slip."""
        self.selection.release()
        if not self.selection.is_enough:
            self.selection.box = QRect()
        self._follow()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Inside the box: share it."""
        if self.selection.edges_at(event.position().toPoint()) is not None:
            self._confirm()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape drops, Return shares, arrows move, with Shift they resize."""
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self.dropped.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._confirm()
        elif key in _STEPS:
            resize = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.began.emit()
            self.selection.nudge(_STEPS[key], size=resize)
            self._follow()
        else:
            super().keyPressEvent(event)

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """What is there, dark outside the box; its edge, handles and size."""
        painter = QPainter(self)
        painter.drawPixmap(self.rect(), self._ground)
        box = self.selection.box
        veil = QColor(0, 0, 0, 130)
        if box.isEmpty():
            painter.fillRect(self.rect(), veil)
            self._paint_hint(painter)
            return
        for part in (
            QRect(0, 0, self.width(), box.top()),
            QRect(0, box.bottom() + 1, self.width(), self.height() - box.bottom() - 1),
            QRect(0, box.top(), box.left(), box.height()),
            QRect(box.right() + 1, box.top(), self.width() - box.right() - 1, box.height()),
        ):
            painter.fillRect(part, veil)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        accent = self._theme.colour("accent")
        painter.setPen(QPen(accent, 2))
        painter.drawRect(box)
        if not self.selection.is_held:
            painter.setPen(QPen(self._theme.colour("stage"), 1))
            painter.setBrush(accent)
            for handle in self._handles(box):
                painter.drawRoundedRect(handle, 2, 2)
        self._paint_size(painter, box)

    @staticmethod
    def _handles(box: QRect) -> list[QRectF]:
        xs = (box.left(), box.center().x(), box.right())
        ys = (box.top(), box.center().y(), box.bottom())
        spots = [(x, y) for x in xs for y in ys if (x, y) != (xs[1], ys[1])]
        return [QRectF(x - _HANDLE / 2, y - _HANDLE / 2, _HANDLE, _HANDLE) for x, y in spots]

    def _paint_size(self, painter: QPainter, box: QRect) -> None:
        painter.setFont(self._theme.font(TextStyle.META_STRONG))
        words = self.size_words()
        wide = painter.fontMetrics().horizontalAdvance(words) + 18
        top = box.top() - 32 if box.top() >= 36 else box.top() + 8
        chip = QRectF(box.left(), top, wide, 24)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.shade("stage", 85))
        painter.drawRoundedRect(chip, 6, 6)
        painter.setPen(self._theme.colour("ink"))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, words)

    def _paint_hint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._theme.font(TextStyle.STRONG))
        words = self.tr("Drag over the part that you want to share. Esc leaves.")
        wide = painter.fontMetrics().horizontalAdvance(words) + 48
        chip = QRectF(0, 0, wide, 48)
        chip.moveCenter(QRectF(self.rect()).center())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.shade("stage", 88))
        painter.drawRoundedRect(chip, 12, 12)
        painter.setPen(self._theme.colour("ink"))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, words)


class RegionChoice(QObject):
    """The overlays of all displays, from `begin` until one is confirmed or all are dropped."""

    chosen = Signal(object)
    ended = Signal()

    def __init__(self, theme: DarkTheme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self.overlays: list[RegionOverlay] = []

    def begin(self) -> None:
        """Take the pictures, then cover every display."""
        screens = QGuiApplication.screens()
        grounds = [screen.grabWindow(0) for screen in screens]
        for screen, ground in zip(screens, grounds, strict=True):
            self.overlays.append(self._make(screen, ground))
        under = QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()
        for overlay, screen in zip(self.overlays, screens, strict=True):
            overlay.show()
            if screen == under:
                overlay.activateWindow()
                overlay.setFocus(Qt.FocusReason.OtherFocusReason)
                overlay.grabKeyboard()  # no window manager gives it the keys

    def _make(self, screen: QScreen, ground: QPixmap) -> RegionOverlay:
        display = Display(screen.geometry(), screen.devicePixelRatio())
        overlay = RegionOverlay(ground, display, self._theme)
        overlay.began.connect(lambda: self._only(overlay))
        overlay.chosen.connect(self._take)
        overlay.dropped.connect(self.end)
        return overlay

    def _only(self, overlay: RegionOverlay) -> None:
        for other in self.overlays:
            if other is not overlay:
                other.clear()

    def _take(self, place: Place) -> None:
        self.end()
        self.chosen.emit(place)

    def end(self) -> None:
        """Uncover the displays."""
        if not self.overlays:
            return
        for overlay in self.overlays:
            overlay.releaseKeyboard()
            overlay.hide()
            overlay.deleteLater()
        self.overlays.clear()
        self.ended.emit()
