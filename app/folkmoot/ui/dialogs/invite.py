"""Inviting: how long, how often, the link with a button that copies it, the links before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.services.values import Invite
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.start.invitation import read_invitation
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.choice import ChoiceBox
from folkmoot.ui.widgets.fields import TextField
from folkmoot.ui.widgets.surfaces import IconLabel
from folkmoot.ui.widgets.text import ElidedText, SectionHeader, Text

_DAY_S = 24 * 3600
MOST_SHOWN = 5


class LinkLine(QWidget):
    """A link that can be read and copied."""

    def __init__(self, theme: Theme, link: str = "") -> None:
        super().__init__()
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        self.link = TextField(self.tr("Invitation link"), theme, max_length=4096, compact=True)
        self.link.setReadOnly(True)
        self.copy = Button(self.tr("Copy"), theme, ButtonKind.PRIMARY, icon="copy")
        self.copy.clicked.connect(self._copy)
        line.addWidget(self.link, 1)
        line.addWidget(self.copy)
        self.show_link(link)

    def show_link(self, link: str) -> None:
        """Show a link, from its beginning."""
        self.link.setText(link)
        self.link.setCursorPosition(0)
        self.copy.setText(self.tr("Copy"))
        self.copy.setEnabled(bool(link))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.link.text())
        self.copy.setText(self.tr("Copied"))


class InviteDialog(Form):
    """Makes links for one team."""

    wanted = Signal(object, object)
    """Seconds until it expires or None, number of uses or None."""
    connections_pressed = Signal()

    def __init__(self, parent: QWidget, theme: Theme, team: str) -> None:
        title = parent.tr("Invite people to {team}").format(team=team)
        super().__init__(parent, theme, title)
        words = self.tr(
            "Whoever has the link can join as a member while one of the team's computers can be "
            "reached. Send it only to those you mean."
        )
        self.body.addWidget(Text(words, theme, token="mute", wrap=True))
        self.body.addSpacing(6)
        terms = QHBoxLayout()
        terms.setSpacing(12)
        self.expires = self._choice(
            self.tr("Valid for"),
            (
                (self.tr("1 hour"), 3600),
                (self.tr("1 day"), _DAY_S),
                (self.tr("7 days"), 7 * _DAY_S),
                (self.tr("as long as the team"), None),
            ),
            terms,
        )
        self.uses = self._choice(
            self.tr("Can be used"),
            (
                (self.tr("once"), 1),
                (self.tr("5 times"), 5),
                (self.tr("25 times"), 25),
                (self.tr("any number of times"), None),
            ),
            terms,
        )
        self.expires.setCurrentIndex(2)
        self.uses.setCurrentIndex(3)
        self.body.addLayout(terms)
        self.body.addSpacing(6)
        self.make = Button(self.tr("Make a link"), theme, ButtonKind.PRIMARY, icon="link")
        self.make.clicked.connect(self._want)
        self.body.addWidget(self.make)
        self.line = LinkLine(theme)
        self.line.hide()
        self.body.addWidget(self.line)
        self._build_where()
        self._list = QVBoxLayout()
        self.body.addLayout(self._list)

    def _choice(
        self, name: str, choices: Sequence[tuple[str, int | None]], into: QHBoxLayout
    ) -> ChoiceBox:
        column = QVBoxLayout()
        column.setSpacing(4)
        label = Text(name, self.theme, TextStyle.LABEL_STRONG)
        box = ChoiceBox(name, self.theme, height=32)
        for words, value in choices:
            box.addItem(words, value)
        label.setBuddy(box)
        column.addWidget(label)
        column.addWidget(box)
        into.addLayout(column, 1)
        return box

    def _build_where(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(8)
        self._where_mark = IconLabel("network", self.theme)
        line.addWidget(self._where_mark, 0, Qt.AlignmentFlag.AlignTop)
        self.where = Text("", self.theme, TextStyle.META, "mute", wrap=True)
        line.addWidget(self.where, 1)
        self.add_server = Button(self.tr("Add a server…"), self.theme, ButtonKind.LINK, height=28)
        self.add_server.setAutoDefault(False)
        self.add_server.clicked.connect(self.connections_pressed)
        line.addWidget(self.add_server, 0, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(line)

    def say_where_it_leads(self, servers: Iterable[str]) -> None:
        """From where a link works that leads over `servers` (their names)."""
        names = list(servers)
        self.where.setText(_where_words(names, made=not self.line.isHidden()))
        self._where_mark.set_icon("globe" if names else "network", "mute")
        self.add_server.setVisible(not names)
        self.fit()

    def _want(self) -> None:
        self.make.setEnabled(False)
        self.wanted.emit(self.expires.currentData(), self.uses.currentData())

    def show_made(self, invite: Invite) -> None:
        """The link that was just made."""
        self.make.setEnabled(True)
        self.make.setText(self.tr("Make another link"))
        self.line.show_link(invite.link)
        self.line.show()
        self.line.copy.setFocus()
        self.say_where_it_leads(_servers(invite.link))

    def show_invites(self, invites: Sequence[Invite]) -> None:
        """Links made before, newest first."""
        while (item := self._list.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        shown = [invite for invite in invites if invite.link][:MOST_SHOWN]
        if shown:
            self._list.addWidget(SectionHeader(self.tr("Links made here"), self.theme))
        for invite in shown:
            self._list.addWidget(_Made(invite, self.theme))
        self.fit()

    def say_problem(self, words: str) -> None:
        """Show what went wrong; a link can be tried again."""
        self.make.setEnabled(True)
        super().say_problem(words)


class _Made(QWidget):
    """One earlier link: its terms, and a way to copy it again."""

    def __init__(self, invite: Invite, theme: Theme) -> None:
        super().__init__()
        self._link = invite.link
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(ElidedText(self._terms(invite), theme, TextStyle.META, "mute"), 1)
        self._copy = Button(self.tr("Copy"), theme, ButtonKind.LINK, height=28)
        self._copy.clicked.connect(self._take)
        line.addWidget(self._copy)

    def _terms(self, invite: Invite) -> str:
        if invite.expires_at_ms is None:
            until = self.tr("No end")
        else:
            moment = QDateTime.fromMSecsSinceEpoch(invite.expires_at_ms)
            until = self.tr("Until {when}").format(when=QLocale().toString(moment, "d MMM HH:mm"))
        uses = self.tr("any number of uses")
        if invite.uses_left is not None:
            uses = self.tr("uses left: {n}").format(n=invite.uses_left)
        where = self.tr("from everywhere") if _servers(invite.link) else self.tr("this network")
        return f"{until} · {uses} · {where}"

    def _take(self) -> None:
        QGuiApplication.clipboard().setText(self._link)
        self._copy.setText(self.tr("Copied"))


def _where_words(servers: Sequence[str], *, made: bool) -> str:
    """From where a link works, the one that was made or one that would be."""
    if servers:
        words = (
            _tr("This link works from everywhere, over {names}.")
            if made
            else _tr("Links work from everywhere, over {names}.")
        )
        return words.format(names=", ".join(servers))
    only = (
        _tr("This link works on this network only.")
        if made
        else _tr("Links work on this network only.")
    )
    return f"{only} {_tr('With a server, people can join from everywhere.')}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("InviteDialog", text)


def _servers(link: str) -> tuple[str, ...]:
    invitation = read_invitation(link)
    return invitation.servers if invitation is not None else ()
