"""Inviting: how long, how often, the link with a button that copies it, the links before."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QDateTime, QLocale, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.services.values import Invite
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.fields import TextField
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
        self._list = QVBoxLayout()
        self.body.addLayout(self._list)

    def _choice(
        self, name: str, choices: Sequence[tuple[str, int | None]], into: QHBoxLayout
    ) -> QComboBox:
        column = QVBoxLayout()
        column.setSpacing(4)
        label = Text(name, self.theme, TextStyle.LABEL_STRONG)
        box = QComboBox()
        box.setAccessibleName(name)
        box.setFixedHeight(32)
        for words, value in choices:
            box.addItem(words, value)
        label.setBuddy(box)
        column.addWidget(label)
        column.addWidget(box)
        into.addLayout(column, 1)
        return box

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
        self.fit()

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
        if invite.uses_left is None:
            return self.tr("{until} · any number of uses").format(until=until)
        return self.tr("{until} · uses left: {n}").format(until=until, n=invite.uses_left)

    def _take(self) -> None:
        QGuiApplication.clipboard().setText(self._link)
        self._copy.setText(self.tr("Copied"))
