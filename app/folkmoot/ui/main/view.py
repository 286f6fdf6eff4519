"""The main view: puts rail, side bar, conversation and right pane beside or over each other.

Below 900 px the right pane covers the timeline, below 640 the side bar folds and opens over it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.ui.conversation.pane import ConversationPane
from folkmoot.ui.main import side_bar
from folkmoot.ui.main.header import Header
from folkmoot.ui.main.side_bar import Rail, SideBar
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline.layout import Mode
from folkmoot.ui.timeline.model import TimelineModel

if TYPE_CHECKING:
    from folkmoot.ui.main.right_pane import RightPane

RIGHT_WIDTH = 330
COVER_BELOW = 900
FOLD_BELOW = 640


class Scrim(QWidget):
    """Darkens what lies below an opened side bar; a press closes it."""

    def __init__(self, theme: Theme, parent: MainView) -> None:
        super().__init__(parent)
        self._theme = theme
        self._main = parent
        self.hide()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Close."""
        self._main.fold_side_bar()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Darken."""
        shade = self._theme.shade("scrim", self._theme.tokens.scrim_percent)
        QPainter(self).fillRect(self.rect(), shade)


class MainView(QWidget):
    """Everything of one team."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.rail = Rail(theme)
        self.rail.hide()
        self.side_bar = SideBar(theme)
        self.header = Header(theme)
        self.conversation = ConversationPane(theme, TimelineModel(), Mode.CHANNEL)
        self._right: RightPane | None = None
        self._right_open = False
        self._side_open = False
        self._left = QWidget(self)
        left = QHBoxLayout(self._left)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(0)
        left.addWidget(self.rail)
        left.addWidget(self.side_bar)
        self._middle = QWidget(self)
        self._column = QVBoxLayout(self._middle)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.header)
        self._column.addWidget(self.conversation, 1)
        self._scrim = Scrim(theme, self)
        self.header.side_bar_wanted.connect(self.open_side_bar)
        self._cards: QWidget | None = None

    @property
    def right(self) -> RightPane:
        """The right pane, made when it is first needed."""
        if self._right is None:
            from folkmoot.ui.main.right_pane import RightPane  # not in the first frame

            self._right = RightPane(self.theme)
            self._right.setParent(self)
        return self._right

    def put_cards(self, cards: QWidget) -> None:
        """Place the cards between header and timeline."""
        self._cards = cards
        self._column.insertWidget(1, cards)

    def set_right_open(self, on: bool) -> None:
        """Open or close the right pane."""
        self._right_open = on
        self.right.setVisible(on)
        self._place()

    def open_side_bar(self) -> None:
        """Bring the folded side bar over the conversation."""
        self._side_open = True
        self._place()
        self.side_bar.take_focus()

    def fold_side_bar(self) -> None:
        """Fold the side bar away again; no matter where it stands beside."""
        if self._side_open:
            self._side_open = False
            self._place()
            self.conversation.composer.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def is_folded(self) -> bool:
        """Whether the side bar has no room beside the conversation."""
        return self.width() < FOLD_BELOW

    def replace(self) -> None:
        """The rail came or went."""
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place everything anew."""
        super().resizeEvent(event)
        self._place()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape folds an opened side bar; a letter that nobody wanted begins a message."""
        held = event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier
        editor = self.conversation.composer.editor
        if event.key() == Qt.Key.Key_Escape and self._side_open:
            self.fold_side_bar()
        elif event.text().isprintable() and event.text() and not held and editor.isVisible():
            editor.setFocus(Qt.FocusReason.OtherFocusReason)
            editor.insertPlainText(event.text())
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground of a panel, behind the cards."""
        QPainter(self).fillRect(self.rect(), self.theme.colour("panel"))

    def _place(self) -> None:
        width, height = self.width(), self.height()
        rail = side_bar.RAIL_WIDTH if not self.rail.isHidden() else 0
        side = rail + side_bar.WIDTH
        folded = self.is_folded
        self._side_open = self._side_open and folded
        left = 0 if folded else side
        self.header.fold.setVisible(folded)
        self._left.setGeometry(0, 0, side, height)
        self._left.setVisible(not folded or self._side_open)
        room = width - left
        if self._right is not None and self._right_open:
            covers = width < COVER_BELOW
            pane = min(RIGHT_WIDTH, room) if width >= FOLD_BELOW else room
            self._right.setFixedWidth(pane)
            self._right.setGeometry(QRect(width - pane, 0, pane, height))
            self._right.raise_()
            room -= 0 if covers else pane
        self._middle.setGeometry(left, 0, room, height)
        self._scrim.setVisible(folded and self._side_open)
        if self._side_open:
            self._scrim.setGeometry(self.rect())
            self._scrim.raise_()
            self._left.raise_()
