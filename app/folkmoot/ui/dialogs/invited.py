"""What a link from outside leads to: a team to join, or words about the link."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.start.invitation import LOOK_FIRST_MS, Invitation
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.avatar import Avatar
from folkmoot.ui.widgets.text import ElidedText, Text


class InvitedDialog(Form):
    """Asks whether to join. It may appear while one types, so its button acts a moment later."""

    def __init__(self, parent: QWidget, theme: Theme, invitation: Invitation, name: str) -> None:
        title = parent.tr("Join this team?")
        super().__init__(parent, theme, title, act=parent.tr("Join"))
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(Avatar(invitation.team_name, invitation.team, theme, ground="panel"))
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(ElidedText(invitation.team_name, theme, TextStyle.STRONG))
        as_whom = self.tr("They will see you as {name}.").format(name=name)
        words.addWidget(ElidedText(as_whom, theme, TextStyle.META, "mute"))
        line.addLayout(words, 1)
        self.body.addLayout(line)
        self.body.addSpacing(4)
        self.body.addWidget(Text(invitation.meeting, theme, TextStyle.META, "mute", wrap=True))
        self.setAccessibleDescription(f"{invitation.team_name}. {as_whom} {invitation.meeting}")
        self.first = self.close_button
        self.set_busy(True)
        QTimer.singleShot(LOOK_FIRST_MS, self, lambda: self.set_busy(False))


class LinkWords(Form):
    """Says something about a link that was opened."""

    def __init__(self, parent: QWidget, theme: Theme, title: str, words: str) -> None:
        super().__init__(parent, theme, title)
        self.setAccessibleDescription(words)
        self.body.addWidget(Text(words, theme, token="mute", wrap=True))
