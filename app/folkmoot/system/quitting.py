"""Ends the window in good order when the terminal or the session says so (SIGINT, SIGTERM)."""

from __future__ import annotations

import signal
import socket
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier
from PySide6.QtWidgets import QApplication


class QuitSignals(QObject):
    """Closes all windows on a signal, from creation until `close`.

    Python runs signal handlers between two of its own instructions; an idle Qt loop has none. The
    interpreter therefore writes to a socket that wakes the loop.
    """

    def __init__(self) -> None:
        super().__init__()
        self._in, self._out = socket.socketpair()
        self._in.setblocking(False)
        self._out.setblocking(False)
        self._wakeup = signal.set_wakeup_fd(self._out.fileno(), warn_on_full_buffer=False)
        self._notifier = QSocketNotifier(self._in.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._woken)
        self._before = {
            number: signal.signal(number, self._told) for number in (signal.SIGINT, signal.SIGTERM)
        }

    def close(self) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._notifier.setEnabled(False)
        self._in.close()
        self._out.close()

    def _told(self, _number: int, _frame: FrameType | None) -> None:
        """The bytes in the socket say it; this only replaces the default, which kills."""

    def _woken(self) -> None:
        numbers = self._in.recv(64)
        if any(number in (signal.SIGINT, signal.SIGTERM) for number in numbers):
            QApplication.closeAllWindows()
            QApplication.quit()
