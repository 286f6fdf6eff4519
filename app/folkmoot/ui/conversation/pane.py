"""The view of one place: timeline or empty state, typing line, confirmation, composer."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from folkmoot.ui.conversation.composer import Composer
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline.layout import CONTENT_WIDTH, Mode
from folkmoot.ui.timeline.model import TimelineModel
from folkmoot.ui.timeline.view import TimelineView
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.surfaces import Card
from folkmoot.ui.widgets.text import ElidedText, Text


class Confirmation(Card):
    """Asks in place whether something shall go, instead of a window."""

    confirmed = Signal()
    dropped = Signal()

    def __init__(self, theme: Theme, act: str = "") -> None:
        super().__init__(theme, ground="hover", radius=10)
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 6, 8, 6)
        line.setSpacing(8)
        self._words = Text("", theme, TextStyle.LABEL, wrap=True)
        line.addWidget(self._words, 1)
        self.keep = Button(self.tr("Keep"), theme, height=28)
        self.keep.clicked.connect(self.dropped)
        self.delete = Button(act or self.tr("Delete"), theme, ButtonKind.DANGER, height=28)
        self.delete.clicked.connect(self.confirmed)
        line.addWidget(self.keep)
        line.addWidget(self.delete)
        self.hide()

    def ask(self, words: str, *, keeps: bool = False) -> None:
        """Show the question; Return deletes, or `keeps` where much would be lost; Escape keeps."""
        self._words.setText(words)
        self.setAccessibleName(words)
        self.show()
        (self.keep if keeps else self.delete).setFocus(Qt.FocusReason.TabFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The keys of a question."""
        if event.key() == Qt.Key.Key_Escape:
            self.dropped.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            focus = self.focusWidget()
            (self.dropped if focus is self.keep else self.confirmed).emit()
        else:
            super().keyPressEvent(event)


class ConversationPane(QWidget):
    """Timeline and composer of a conversation or of a thread."""

    def __init__(self, theme: Theme, model: TimelineModel, mode: Mode) -> None:
        super().__init__()
        self.theme = theme
        self.mode = mode
        self.timeline = TimelineView(model, theme, mode=mode)
        holder = QWidget()
        self._stack = QStackedLayout(holder)
        self._stack.addWidget(self.timeline)
        self._empty: QWidget | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(holder, 1)
        self.typing = ElidedText("", theme, TextStyle.META, "mute")
        self.typing.setFixedHeight(24)
        edge = 20 if mode is Mode.CHANNEL else 12
        self.typing.setContentsMargins(edge, 0, edge, 0)
        column.addWidget(self.typing)
        self.confirmation = Confirmation(theme)
        around = QHBoxLayout()
        around.setContentsMargins(edge, 0, edge, 6)
        around.addWidget(self.confirmation)
        column.addLayout(around)
        self.composer = Composer(theme, compact=mode is Mode.THREAD)
        self.composer.setMaximumWidth(CONTENT_WIDTH + 2 * edge)
        column.addWidget(self.composer)

    def show_empty(self, empty: QWidget | None) -> None:
        """Show a designed empty state in place of the timeline, or the timeline again."""
        if self._empty is not None:
            focus = self.focusWidget()
            if focus is not None and self._empty.isAncestorOf(focus):
                self.composer.setFocus()
            self._stack.removeWidget(self._empty)
            self._empty.deleteLater()
        self._empty = empty
        if empty is not None:
            self._stack.addWidget(empty)
            self._stack.setCurrentWidget(empty)
        else:
            self._stack.setCurrentWidget(self.timeline)

    @property
    def is_empty(self) -> bool:
        """Whether the empty state stands there."""
        return self._empty is not None

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground of a panel (a background role would change the colour of every label)."""
        QPainter(self).fillRect(self.rect(), self.theme.colour("panel"))

    def say_typing(self, words: str) -> None:
        """Who writes."""
        self.typing.setText(words)
