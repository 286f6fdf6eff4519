"""What stands where no message is yet: alone in a team, a fresh channel, a fresh direct."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from folkmoot.ui.dialogs.invite import LinkLine
from folkmoot.ui.start.invitation import read_invitation
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.surfaces import Card, EmptyState, IconLabel
from folkmoot.ui.widgets.text import Text

_WIDTH = 360


class AloneState(QWidget):
    """One person in a new team: the invitation is right here."""

    invite_wanted = Signal()

    def __init__(self, theme: Theme, team: str, *, visible: bool) -> None:
        super().__init__()
        centre = Qt.AlignmentFlag.AlignHCenter
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(6)
        column.addStretch(1)
        plate = Card(theme, ground="accent_soft", edge="", radius=16)
        plate.setFixedSize(56, 56)
        inner = QVBoxLayout(plate)
        inner.addWidget(IconLabel("user-plus", theme, token="accent", size=24), 0, centre)
        column.addWidget(plate, 0, centre)
        column.addSpacing(8)
        title = self.tr("{team} is ready").format(team=team)
        heading = Text(title, theme, TextStyle.TITLE, wrap=True)
        heading.setAlignment(centre)
        words = self.tr("Only you are here so far. Give somebody an invitation.")
        if visible:
            words += " " + self.tr(
                "Or tell them the team's name: computers on this network see it and may ask to "
                "join."
            )
        sentence = Text(words, theme, token="mute", wrap=True)
        sentence.setAlignment(centre)
        for text in (heading, sentence):
            text.setFixedSize(_WIDTH, text.heightForWidth(_WIDTH))
            column.addWidget(text, 0, centre)
        column.addSpacing(10)
        self.invite = Button(
            self.tr("Copy an invitation link"), theme, ButtonKind.PRIMARY, icon="copy"
        )
        self.invite.clicked.connect(self.invite_wanted)
        column.addWidget(self.invite, 0, centre)
        self.line = LinkLine(theme)
        self.line.setFixedWidth(_WIDTH)
        self.line.hide()
        column.addWidget(self.line, 0, centre)
        self.note = Text("", theme, TextStyle.META, "mute", wrap=True)
        self.note.setAlignment(centre)
        self.note.setFixedWidth(_WIDTH)
        column.addWidget(self.note, 0, centre)
        column.addStretch(2)
        self.setAccessibleName(f"{title}. {words}")

    def show_link(self, link: str) -> None:
        """The link is made and on the clipboard."""
        invitation = read_invitation(link)
        servers = invitation.servers if invitation is not None else ()
        QGuiApplication.clipboard().setText(link)
        self.line.show_link(link)
        self.line.copy.setText(self.tr("Copied"))
        self.line.show()
        self.line.copy.setFocus()
        self.invite.hide()
        self.note.set_token("mute")
        note = self.tr("It is on the clipboard and can be used for 7 days, on this network.")
        if servers:
            note = self.tr(
                "It is on the clipboard and can be used for 7 days, from everywhere, over {names}."
            ).format(names=", ".join(servers))
        self.note.setText(note)

    def say_problem(self, words: str) -> None:
        """Show what went wrong."""
        self.note.set_token("bad_text")
        self.note.setText(words)
        self.invite.setEnabled(True)


def fresh_channel(theme: Theme, name: str) -> EmptyState:
    """No message in a channel."""
    return EmptyState("hash", f"#{name}", _tr("Nothing is written here yet."), theme)


def arriving(theme: Theme, team: str) -> EmptyState:
    """A team was joined, and nothing of it is here yet."""
    words = _tr("You are in. What the team has written is on its way from another computer.")
    return EmptyState("refresh-cw", team, words, theme)


def fresh_notes(theme: Theme, name: str) -> EmptyState:
    """No message to oneself."""
    return EmptyState("pencil", name, _tr("A place for notes that only you can read."), theme)


def fresh_direct(theme: Theme, name: str) -> EmptyState:
    """No message to others."""
    words = _tr("Only the people of this conversation can read what is written here.")
    return EmptyState("message-square", name, words, theme)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Main", text)
