"""The one top window: the start screen or the main view, size and place, and the first paint.

Builds the part that is shown and nothing else before the first frame. Decides nothing.
"""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QEvent, QObject, QSize, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QApplication, QStackedLayout, QWidget

from folkmoot.ui.theme.theme import Theme

DEFAULT_SIZE = QSize(1280, 800)
LEAST_SIZE = QSize(400, 480)


class Shell(QWidget):
    """Holds one page at a time."""

    first_painted = Signal()
    """The first frame of the window is being drawn: connect queued to come after it."""
    closing = Signal()
    activated = Signal(bool)
    """The window became the active one, or is no longer."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.starts_again = False
        """The program is to be started once more when it has ended."""
        self._was_painted = False
        self._pages = QStackedLayout(self)
        self._pages.setContentsMargins(0, 0, 0, 0)
        self.setMinimumSize(LEAST_SIZE)
        self.resize(DEFAULT_SIZE)
        self.setWindowTitle("Folkmoot")
        QShortcut(QKeySequence("Ctrl+Q"), self).activated.connect(self.close)

    def show_page(self, page: QWidget) -> None:
        """Bring a page to the front; it stays the shell's child."""
        if self._pages.indexOf(page) < 0:
            self._pages.addWidget(page)
        self._pages.setCurrentWidget(page)

    def page(self) -> QWidget | None:
        """What is in front."""
        return self._pages.currentWidget()

    def say_where(self, *parts: str) -> None:
        """The window's title: the conversation, the team, the program."""
        self.setWindowTitle(" – ".join(part for part in (*parts, "Folkmoot") if part))

    def place(self) -> str:
        """Size and place as text for the settings."""
        return bytes(self.saveGeometry().toBase64().data()).decode("ascii")

    def take_place(self, saved: str) -> None:
        """Size and place from the settings; anything that is not one is passed over."""
        if saved and len(saved) < 1000:
            self.restoreGeometry(QByteArray.fromBase64(saved.encode("ascii", "ignore")))

    def come_forward(self) -> None:
        """Show and raise the window: the person started the program a second time."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    def start_again(self) -> None:
        """End in good order, as at the closing of the window, to be started once more."""
        self.starts_again = True
        QApplication.closeAllWindows()
        QApplication.quit()

    def showEvent(self, event: QShowEvent) -> None:
        """Listen to the system window: where the page covers the shell, that is never painted."""
        super().showEvent(event)
        handle = self.windowHandle()
        if handle is not None and not self._was_painted:
            handle.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt draws everything while it handles the first exposure; a queued slot comes after."""
        if event.type() == QEvent.Type.Expose and not self._was_painted:
            self._was_painted = True
            watched.removeEventFilter(self)
            self.first_painted.emit()
        return False

    def changeEvent(self, event: QEvent) -> None:
        """Tell whether somebody looks."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange:
            self.activated.emit(self.isActiveWindow())

    def closeEvent(self, event: QCloseEvent) -> None:
        """The window goes; what must be saved is saved now."""
        self.closing.emit()
        super().closeEvent(event)
