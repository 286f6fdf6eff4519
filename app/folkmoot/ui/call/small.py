"""Small windows of a call: one participant alone, and the view that stays over all others."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QGuiApplication,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.services.call_values import Call
from folkmoot.ui.call.controls import CallButton, LeaveButton
from folkmoot.ui.call.pictures import Pictures
from folkmoot.ui.call.state import Key, TileState, is_screen_key, tile_states
from folkmoot.ui.call.tile import Tile
from folkmoot.ui.recording.sign import CornerSign, RecordSign
from folkmoot.ui.recording.words import recorders, who_records
from folkmoot.ui.share.boards import Boards
from folkmoot.ui.share.screen_view import ScreenView
from folkmoot.ui.share.screen_window import ScreenWindow
from folkmoot.ui.theme.theme import DarkTheme


class PopOut(QWidget):
    """One tile in a window of its own."""

    closed = Signal()

    def __init__(self, state: TileState, theme: DarkTheme, pictures: Pictures) -> None:
        super().__init__(None, Qt.WindowType.Window)
        theme.dress(self)
        theme.changed.connect(self._dress)
        self._theme = theme
        self.setWindowTitle(state.name)
        self.resize(640, 380)
        self.setMinimumSize(240, 150)
        self.tile = Tile(state, theme, pictures, self)
        self.recorded = CornerSign(self, theme)

    def _dress(self) -> None:
        self._theme.dress(self)

    def show_state(self, state: TileState) -> None:
        """The newest about this one."""
        self.tile.show_state(state)

    def close_now(self) -> None:
        """The call ended, or this one left it."""
        self.blockSignals(True)
        self.close()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The tile fills the window."""
        super().resizeEvent(event)
        self.tile.setGeometry(self.rect().adjusted(8, 8, -8, -8))

    def closeEvent(self, event: QCloseEvent) -> None:
        """No more pictures for this window."""
        super().closeEvent(event)
        self.tile.leave()
        self.closed.emit()
        self.deleteLater()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground."""
        QPainter(self).fillRect(self.rect(), self._theme.colour("side"))


class CompactView(QWidget):
    """Who speaks, mute, hang up, and the way back; over all other windows, moved by dragging."""

    back_pressed = Signal()
    microphone_pressed = Signal()
    leave_pressed = Signal()

    def __init__(self, theme: DarkTheme, pictures: Pictures, boards: Boards) -> None:
        flags = (
            Qt.WindowType.Tool
            | Qt.WindowType.FramelessWindowHint
            | Qt.WindowType.WindowStaysOnTopHint
        )
        super().__init__(None, flags)
        theme.dress(self)
        self._theme = theme
        self._pictures = pictures
        self._boards = boards
        self._grip: QPoint | None = None
        self._tile: Tile | None = None
        self.setWindowTitle(self.tr("Call"))
        self.setAccessibleName(self.tr("Small view of the call"))
        self.resize(288, 226)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        self._place = QWidget()
        column.addWidget(self._place, 1)
        line = QHBoxLayout()
        line.setSpacing(8)
        self.microphone = CallButton("mic", self.tr("Mute"), theme)
        self.back = CallButton("picture-in-picture-2", self.tr("Large window"), theme)
        for button in (self.microphone, self.back):
            button.set_wide(False)
        self.leave = LeaveButton(theme)
        self.leave.set_wide(False)
        self.microphone.clicked.connect(self.microphone_pressed)
        self.back.clicked.connect(self.back_pressed)
        self.leave.clicked.connect(self.leave_pressed)
        line.addStretch(1)
        for each in (self.microphone, self.back, self.leave):
            line.addWidget(each)
        line.addStretch(1)
        column.addLayout(line)
        self.recorded = RecordSign(theme)
        self.recorded.setParent(self)

    @property
    def tile(self) -> Tile | None:
        """The tile that is shown."""
        return self._tile

    def show_recorded(self, words: str) -> None:
        """Who records, in words; empty: nobody."""
        self.recorded.show_words(words)
        self.recorded.lay_over(self._place.geometry())

    def show_front(self, state: TileState) -> None:
        """Show who, or what, is in front."""
        if self._tile is not None and self._tile.state.key != state.key:
            self._tile.leave()
            self._tile = None
        if self._tile is None:
            self._tile = self._make(state)
            self._tile.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            self._tile.setGeometry(self._place.rect())
            self._tile.show()
        else:
            self._tile.show_state(state)

    def _make(self, state: TileState) -> Tile:
        if state.is_screen:
            return ScreenView(state, self._theme, self._pictures, self._boards, self._place)
        return Tile(state, self._theme, self._pictures, self._place)

    def show_microphone(self, on: bool) -> None:
        """Whether one is heard."""
        self.microphone.show_face(
            "mic" if on else "mic-off", self.tr("Mute") if on else self.tr("Muted"), off=not on
        )

    def show_in_corner(self) -> None:
        """Upper right corner of the screen, unless it was moved before."""
        screen = QGuiApplication.primaryScreen()
        if screen is not None and not self.testAttribute(Qt.WidgetAttribute.WA_Moved):
            room = screen.availableGeometry()
            self.move(room.right() - self.width() - 24, room.top() + 24)
        self.show()
        self.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The tile follows."""
        super().resizeEvent(event)
        layout = self.layout()
        if layout is not None:
            layout.activate()
        if self._tile is not None:
            self._tile.setGeometry(self._place.rect())
        self.recorded.lay_over(self._place.geometry())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of it."""
        self._grip = event.globalPosition().toPoint() - self.pos()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move it."""
        if self._grip is not None:
            self.move(event.globalPosition().toPoint() - self._grip)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._grip = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Back to the large window."""
        self.back_pressed.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing it by the system is the way back, never the end of the call."""
        event.ignore()
        self.back_pressed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground and edge."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("side"))
        painter.setPen(self._theme.colour("line"))
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))


class SmallWindows(QObject):
    """The small windows of one call: those of single participants, and the view over all others."""

    left = Signal()
    """One that takes keys is the active window no more."""
    back_pressed = Signal()
    microphone_pressed = Signal()
    leave_pressed = Signal()

    def __init__(
        self, theme: DarkTheme, pictures: Pictures, boards: Boards, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._pictures = pictures
        self._boards = boards
        self.compact: CompactView | None = None
        self.pop_outs: dict[Key, PopOut | ScreenWindow] = {}
        self._recorded = ""

    def show_call(self, call: Call, front: TileState | None) -> None:
        """The newest; who left, or shares no more, has no window any more."""
        there = {state.key: state for state in tile_states(call)}
        for key in [key for key in self.pop_outs if key not in there]:
            self.pop_outs.pop(key).close_now()
        self._recorded = who_records(recorders(call))
        for key, pop_out in self.pop_outs.items():
            pop_out.show_state(there[key])
            pop_out.recorded.show_words(self._recorded)
        if self.compact is not None:
            if front is not None:
                self.compact.show_front(front)
            self.compact.show_recorded(self._recorded)
            self.compact.show_microphone(call.microphone)

    def show_speaking(self, speaking: set[bytes]) -> None:
        """Rings around those who speak (devices)."""
        for key, pop_out in self.pop_outs.items():
            pop_out.tile.show_speaking(key[1] in speaking and not is_screen_key(key))

    def pop_out(self, state: TileState, *, full: bool = False) -> None:
        """Show somebody, or a screen, in a window of their own; `full`: it fills the display."""
        made = self.pop_outs.get(state.key)
        if made is None:
            made = self._make(state)
            self.pop_outs[state.key] = made
            made.recorded.show_words(self._recorded)
            made.closed.connect(lambda: self.pop_outs.pop(state.key, None))
        if full and isinstance(made, ScreenWindow):
            made.fill_display()
        else:
            made.show()
            made.raise_()

    def _make(self, state: TileState) -> PopOut | ScreenWindow:
        if not state.is_screen:
            return PopOut(state, self._theme, self._pictures)
        made = ScreenWindow(state, self._theme, self._pictures, self._boards)
        made.mute_wanted.connect(self.microphone_pressed)
        made.left.connect(self.left)
        return made

    def show_compact(self, call: Call, front: TileState | None) -> None:
        """The view over all windows."""
        if self.compact is None:
            self.compact = CompactView(self._theme, self._pictures, self._boards)
            self.compact.back_pressed.connect(self.back_pressed)
            self.compact.microphone_pressed.connect(self.microphone_pressed)
            self.compact.leave_pressed.connect(self.leave_pressed)
        self.show_call(call, front)
        self.compact.show_in_corner()

    def hide_compact(self) -> None:
        """The large window is shown, or the call is left."""
        if self.compact is not None:
            self.compact.hide()

    def close(self) -> None:
        """The call is over."""
        for pop_out in list(self.pop_outs.values()):
            pop_out.close_now()
        self.pop_outs.clear()
        if self.compact is not None:
            self.compact.hide()
            self.compact.deleteLater()
            self.compact = None
