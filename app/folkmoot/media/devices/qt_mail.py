"""Wakes the Qt thread from another one, by a queued signal. Refuses nothing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot


class Postman(QObject):
    """Calls `deliver` in the thread in which it was made, once for each `wake`."""

    _woken = Signal()

    def __init__(self, deliver: Callable[[], None]) -> None:
        super().__init__()
        self._deliver = deliver
        self._woken.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def wake(self) -> None:
        """From any thread."""
        self._woken.emit()

    def close(self) -> None:
        """In its own thread: deliver no more."""
        self._woken.disconnect(self._take)
        self.deleteLater()

    @Slot()
    def _take(self) -> None:
        self._deliver()
