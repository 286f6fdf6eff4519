"""A shared screen in a window of its own, which may fill the display."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QWidget

from folkmoot.ui.call.pictures import Pictures
from folkmoot.ui.call.state import TileState
from folkmoot.ui.recording.sign import CornerSign
from folkmoot.ui.share.boards import Boards
from folkmoot.ui.share.screen_tile import ScreenTile
from folkmoot.ui.theme.theme import DarkTheme


class ScreenWindow(QWidget):
    """F11 fills the display, Escape leaves that; what was opened to fill it closes then."""

    closed = Signal()
    mute_wanted = Signal()
    left = Signal()
    """It is the active window no more: what is held there is let go."""

    def __init__(
        self, state: TileState, theme: DarkTheme, pictures: Pictures, boards: Boards
    ) -> None:
        super().__init__(None, Qt.WindowType.Window)
        theme.dress(self)
        theme.changed.connect(self._dress)
        self._theme = theme
        self._only_full = False
        self.setWindowTitle(state.shown_name)
        self.resize(960, 600)
        self.setMinimumSize(320, 220)
        self.tile = ScreenTile(state, theme, pictures, boards, self)
        self.tile.set_large(True)
        self.tile.tools.show_own_window(full=False)
        self.tile.full_pressed.connect(self.toggle_full)
        self.recorded = CornerSign(self, theme)
        for keys, act in (("F11", self.toggle_full), ("Ctrl+Shift+M", self.mute_wanted.emit)):
            QShortcut(QKeySequence(keys), self).activated.connect(act)

    def _dress(self) -> None:
        self._theme.dress(self)

    def show_state(self, state: TileState) -> None:
        """The newest about this screen."""
        self.tile.show_state(state)

    def fill_display(self) -> None:
        """Fill the display; a window that was made for that goes with it."""
        self._only_full = not self.isVisible()
        self.showFullScreen()
        self.raise_()
        self.activateWindow()
        self.tile.setFocus(Qt.FocusReason.OtherFocusReason)

    def toggle_full(self) -> None:
        """Fill the display, or no longer."""
        if not self.isFullScreen():
            self.showFullScreen()
        elif self._only_full:
            self.close()
        else:
            self.showNormal()

    def close_now(self) -> None:
        """The share, or the call, ended."""
        self.blockSignals(True)
        self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leaves the full display."""
        if event.key() == Qt.Key.Key_Escape and self.isFullScreen():
            self.toggle_full()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """The button says what it does now."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.tile.tools.show_own_window(full=self.isFullScreen())
            self.tile.set_floating(self.isFullScreen())
            self._place()
        elif event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self.left.emit()

    def _place(self) -> None:
        inset = 0 if self.isFullScreen() else 8
        self.tile.setGeometry(self.rect().adjusted(inset, inset, -inset, -inset))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The screen fills the window."""
        super().resizeEvent(event)
        self._place()

    def closeEvent(self, event: QCloseEvent) -> None:
        """No more pictures for this window."""
        super().closeEvent(event)
        self.tile.leave()
        self.left.emit()
        self.closed.emit()
        self.deleteLater()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground."""
        QPainter(self).fillRect(self.rect(), self._theme.colour("side"))
