"""Says something to a screen reader that nobody pressed for."""

from __future__ import annotations

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget


def announce(widget: QWidget, words: str) -> None:
    """Have `words` read aloud after what is being read."""
    if words and QAccessible.isActive():
        event = QAccessibleAnnouncementEvent(widget, words)
        QAccessible.updateAccessibility(event)
