"""The application object, which hears of links that the system opens with Folkmoot (macOS)."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QUrl, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from folkmoot.domain.errors import UserError
from folkmoot.domain.urls import check_url


class Application(QApplication):
    """Elsewhere a link is an argument of a start; macOS sends it to the program that runs.

    An event of its own is cheaper than a filter, which would see every event of every widget.
    """

    link_opened = Signal(str)

    def event(self, event: QEvent) -> bool:
        """Take what is a link; a file, or anything else, is left to Qt."""
        if isinstance(event, QFileOpenEvent):
            url = event.url().toString(QUrl.ComponentFormattingOption.FullyEncoded)
            try:
                self.link_opened.emit(check_url(url))
            except UserError:
                return super().event(event)
            return True
        return super().event(event)
