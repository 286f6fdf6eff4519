"""The pane at the right: a thread, or the members; one at a time, closable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from folkmoot.domain.ids import PersonId
from folkmoot.services.values import PresenceState
from folkmoot.ui.conversation.pane import ConversationPane
from folkmoot.ui.main.header import HEIGHT
from folkmoot.ui.main.rows import PersonButton
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline.layout import Mode
from folkmoot.ui.timeline.model import TimelineModel
from folkmoot.ui.widgets.buttons import Button, IconButton
from folkmoot.ui.widgets.text import ElidedText, Text


@dataclass(frozen=True, slots=True)
class MemberState:
    """A member as the list shows it; `line` says presence, and the way where it is not the usual
    one, which `icon` shows too; `end` is the role."""

    person: PersonId
    name: str
    line: str
    end: str
    presence: PresenceState
    is_me: bool
    icon: str = ""


class MembersList(QWidget):
    """Members by presence and name; a click writes to one, the menu says how one is reached."""

    chosen = Signal(bytes)
    menu_wanted = Signal(bytes, QPoint)
    """The place is global."""
    invite_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: dict[PersonId, PersonButton] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 12)
        column.setSpacing(2)
        self.invite = Button(self.tr("Invite people"), theme, icon="user-plus")
        self.invite.clicked.connect(self.invite_wanted)
        column.addWidget(self.invite)
        column.addSpacing(6)
        inside = QWidget()
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(0)
        self._list.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        area.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        column.addWidget(area, 1)
        self.setAccessibleName(self.tr("Members"))

    def row(self, person: PersonId) -> PersonButton | None:
        """The row of a member, if it is shown."""
        return self._rows.get(person)

    def show_members(self, members: Sequence[MemberState]) -> None:
        """Show these, in this order."""
        wanted = {member.person for member in members}
        for gone in [p for p in self._rows if p not in wanted]:
            self._rows.pop(gone).deleteLater()
        for place, member in enumerate(members):
            row = self._rows.get(member.person)
            if row is None:
                row = self._rows[member.person] = PersonButton(self._theme, ground="panel")
                person = member.person
                row.clicked.connect(lambda _on=False, person=person: self.chosen.emit(person))
                row.menu_wanted.connect(
                    lambda where, person=person: self.menu_wanted.emit(person, where)
                )
            row.show_person(
                member.name,
                member.person,
                member.line,
                presence=member.presence,
                end=member.end,
                icon=member.icon,
            )
            if self._list.indexOf(row) != place:
                self._list.removeWidget(row)
                self._list.insertWidget(place, row)


class RightPane(QWidget):
    """Title, close, and what is open."""

    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        head = QWidget()
        head.setFixedHeight(HEIGHT)
        line = QHBoxLayout(head)
        line.setContentsMargins(16, 0, 12, 1)
        line.setSpacing(8)
        self._title = Text("", theme, TextStyle.STRONG)
        self._where = ElidedText("", theme, TextStyle.LABEL, "mute")
        line.addWidget(self._title)
        line.addWidget(self._where, 1)
        self.close_button = IconButton("x", self.tr("Close (Esc)"), theme)
        self.close_button.clicked.connect(self.closed)
        line.addWidget(self.close_button)
        column.addWidget(head)
        holder = QWidget()
        self._stack = QStackedLayout(holder)
        self.replies = ConversationPane(theme, TimelineModel(), Mode.THREAD)
        self.members = MembersList(theme)
        self._stack.addWidget(self.replies)
        self._stack.addWidget(self.members)
        column.addWidget(holder, 1)
        self.hide()

    def show_thread(self, where: str) -> None:
        """Bring the thread to the front."""
        self._bring(self.replies, self.tr("Thread"), where)

    def show_members(self, where: str) -> None:
        """Bring the members to the front."""
        self._bring(self.members, self.tr("Members"), where)

    def _bring(self, page: QWidget, title: str, where: str) -> None:
        self._stack.setCurrentWidget(page)
        self._title.setText(title)
        self._where.setText(where)
        self.setAccessibleName(title)

    @property
    def shows_thread(self) -> bool:
        """Whether the thread is in front and open."""
        return self.isVisibleTo(self.window()) and self._stack.currentIndex() == 0

    @property
    def shows_members(self) -> bool:
        """Whether the members are in front and open."""
        return self.isVisibleTo(self.window()) and self._stack.currentIndex() == 1

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, the line at the left, the line below the title."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("panel"))
        line = self._theme.colour("line")
        painter.fillRect(0, 0, 1, self.height(), line)
        painter.fillRect(0, HEIGHT - 1, self.width(), 1, line)
