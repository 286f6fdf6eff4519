"""Clicks and keys of the moment before the window can act on them: kept, then given back in order.

The first frame is there before what answers it. Refuses to keep more than a person can do in that
moment; keeps nothing once it gave back.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtGui import QWindow

KEPT_LIMIT = 1_000
_INPUT = frozenset(
    {
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseButtonRelease,
        QEvent.Type.MouseButtonDblClick,
        QEvent.Type.KeyPress,
        QEvent.Type.KeyRelease,
    }
)


class EarlyInput(QObject):
    """Keeps the input of one system window from now on until `give_back`."""

    def __init__(self, window: QWindow) -> None:
        super().__init__()
        self._window = window
        self._kept: list[QEvent] = []
        window.installEventFilter(self)

    def give_back(self) -> None:
        """Let the window have what was kept, as if it came now."""
        self._window.removeEventFilter(self)
        kept, self._kept = self._kept, []
        for event in kept:
            QCoreApplication.sendEvent(self._window, event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep a copy: Qt's own event is gone when this returns."""
        if event.type() not in _INPUT or len(self._kept) >= KEPT_LIMIT:
            return False
        self._kept.append(event.clone())
        return True
