"""Those of the conversation who are not in the call: who could be rung, the ones online first."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.services.call_values import Call
from folkmoot.services.values import ConversationKind, PresenceState
from folkmoot.ui.main.members import member_states
from folkmoot.ui.main.right_pane import MemberState
from folkmoot.ui.model import WindowModel
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.avatar import Avatar
from folkmoot.ui.widgets.buttons import Button
from folkmoot.ui.widgets.text import ElidedText, SectionHeader, Text

MOST_ROWS = 50
"""Of more people who are online the first are shown."""


def is_pair(model: WindowModel, call: Call) -> bool:
    """Whether the call is between two persons: it rings by itself and has nobody else to ring."""
    conversation = model.conversations.get(call.conversation)
    return conversation is not None and len(conversation.participants) == 2


def is_channel(model: WindowModel, call: Call) -> bool:
    """Whether it is in a channel: there it is open to all and rings nobody by itself."""
    conversation = model.conversations.get(call.conversation)
    return conversation is not None and conversation.kind is ConversationKind.CHANNEL


def absent_members(model: WindowModel, call: Call) -> list[MemberState]:
    """Everybody who could come and is neither in the call nor rung, online ones first."""
    conversation = model.conversations.get(call.conversation)
    if conversation is None or conversation.team is None or is_pair(model, call):
        return []
    there = {p.person for p in call.participants} | {model.me}
    persons = set(conversation.participants)
    return [
        member
        for member in member_states(model, conversation.team)
        if member.person not in there and (not persons or member.person in persons)
    ]


class AbsentRow(QWidget):
    """One who is not in the call, and the button that rings."""

    def __init__(self, member: MemberState, theme: Theme) -> None:
        super().__init__()
        self.member = member
        self.setAccessibleName(f"{member.name}, {member.line}")
        line = QHBoxLayout(self)
        line.setContentsMargins(13, 4, 8, 4)
        line.setSpacing(9)
        line.addWidget(Avatar(member.name, member.person, theme, side=32, presence=member.presence))
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(ElidedText(member.name, theme, TextStyle.STRONG))
        words.addWidget(ElidedText(member.line, theme, TextStyle.META, "mute"))
        line.addLayout(words, 1)
        self.ring = Button(self.tr("Ring"), theme, icon="phone", height=36)
        self.ring.setAccessibleName(self.tr("Ring {name}").format(name=member.name))
        line.addWidget(self.ring)


class AbsentList(QWidget):
    """The rows, and how many cannot be rung because they are offline."""

    ring_wanted = Signal(bytes)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shown: tuple[MemberState, ...] | None = None
        self.rows: list[AbsentRow] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 10, 0, 4)
        column.setSpacing(2)
        head = QHBoxLayout()
        head.setContentsMargins(14, 0, 8, 0)
        head.addWidget(SectionHeader(self.tr("Not in the call"), theme))
        column.addLayout(head)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        column.addLayout(self._rows)
        self.rest = Text("", theme, TextStyle.META, "mute", wrap=True)
        self.rest.setContentsMargins(14, 4, 8, 0)
        column.addWidget(self.rest)

    def show_members(self, members: Sequence[MemberState]) -> None:
        """The newest; told again it changes nothing, so that no button moves away."""
        if self._shown == tuple(members):
            return
        self._shown = tuple(members)
        for row in self.rows:
            row.hide()
            row.deleteLater()
        online = [m for m in members if m.presence is not PresenceState.OFFLINE]
        self.rows = [AbsentRow(member, self._theme) for member in online[:MOST_ROWS]]
        for row in self.rows:
            self._rows.addWidget(row)
            row.ring.clicked.connect(
                lambda _=False, person=row.member.person: self.ring_wanted.emit(person)
            )
        self._say_rest(len(members) - len(online), len(online) - len(self.rows))
        self.setVisible(bool(members))

    def _say_rest(self, offline: int, more: int) -> None:
        words = []
        if more:
            words.append(self.tr("{n} more are online").format(n=more))
        if offline == 1:
            words.append(self.tr("1 is offline"))
        elif offline:
            words.append(self.tr("{n} are offline").format(n=offline))
        self.rest.setText(" · ".join(words))
        self.rest.setVisible(bool(words))
