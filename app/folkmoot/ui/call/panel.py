"""What stands beside the stage: a card with title, close button and its content."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import IconButton
from folkmoot.ui.widgets.surfaces import Card
from folkmoot.ui.widgets.text import Text


class Panel(Card):
    """One page beside the stage."""

    closed = Signal()

    def __init__(self, title: str, content: QWidget, theme: Theme) -> None:
        super().__init__(theme, ground="panel", edge="", radius=12)
        self.content = content
        self.setAccessibleName(title)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(14, 6, 6, 6)
        head.addWidget(Text(title, theme, TextStyle.STRONG), 1)
        self.close_button = IconButton("x", self.tr("Close (Esc)"), theme, side=36)
        self.close_button.clicked.connect(self.closed)
        head.addWidget(self.close_button)
        column.addLayout(head)
        column.addWidget(content, 1)

    def take_focus(self) -> None:
        """The keyboard goes on here."""
        self.close_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)
