"""The steps in the left half of the start screen: welcome, name a team, paste, joining.

Each is a form with its own problem line; Return acts, Escape goes back. They decide nothing.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.ui.start.state import Joining
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.fields import Switch, TextField
from folkmoot.ui.widgets.surfaces import Card
from folkmoot.ui.widgets.text import ElidedText, Text

NAME_LIMIT = 80
LINK_LIMIT = 4096


class Step(QWidget):
    """A column with a problem line; `back` when Escape is pressed."""

    back = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(6)
        self.problem = Text("", theme, TextStyle.META, "bad_text", wrap=True)
        self.problem.setVisible(False)

    def say_problem(self, words: str) -> None:
        """Show what went wrong, or nothing."""
        self.problem.setText(words)
        self.problem.setVisible(bool(words))

    def label(self, words: str, field: QWidget) -> Text:
        """The name over a field."""
        made = Text(words, self.theme, TextStyle.LABEL_STRONG)
        made.setBuddy(field)
        return made

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape goes back."""
        if event.key() == Qt.Key.Key_Escape:
            self.back.emit()
        else:
            super().keyPressEvent(event)


class WelcomeStep(Step):
    """The one field, the one button, and the way to an invitation. With an invitation that was
    opened from outside the button joins."""

    started = Signal()
    joined = Signal()
    pasted = Signal()
    offer_taken = Signal()
    put_aside = Signal()
    """Not this invitation."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._add_invited()
        self.name = TextField(
            self.tr("Your name"),
            theme,
            placeholder=self.tr("For example Elin Aas"),
            max_length=NAME_LIMIT,
        )
        self.column.addWidget(self.label(self.tr("Your name"), self.name))
        self.column.addWidget(self.name)
        self._add_details()
        self.column.addWidget(self.problem)
        self.column.addSpacing(12)
        self.start = Button(self.tr("Start a team"), theme, ButtonKind.PRIMARY, height=40)
        self.start.clicked.connect(self._go_on)
        self.name.returnPressed.connect(self._go_on)
        self.computer.returnPressed.connect(self._go_on)
        self.column.addWidget(self.start)
        self._not_now = Button(self.tr("Not now"), theme, ButtonKind.LINK, height=28)
        self._not_now.clicked.connect(self.put_aside)
        self._not_now.hide()
        self.column.addWidget(self._not_now, 0, Qt.AlignmentFlag.AlignHCenter)
        self.column.addStretch(1)
        self._add_invitation()

    def _add_invited(self) -> None:
        self._invited = Card(self.theme, ground="accent_soft", edge="", radius=10)
        column = QVBoxLayout(self._invited)
        column.setContentsMargins(14, 11, 14, 12)
        column.setSpacing(3)
        self._invited_to = Text("", self.theme, TextStyle.STRONG, wrap=True)
        self._meeting = Text("", self.theme, TextStyle.META, wrap=True)
        column.addWidget(self._invited_to)
        column.addWidget(self._meeting)
        self._invited.hide()
        self.column.addWidget(self._invited)
        self.column.addSpacing(6)
        self._look_first = QTimer(self)
        self._look_first.setSingleShot(True)
        self._look_first.timeout.connect(lambda: self.start.setEnabled(True))

    def show_invitation(self, team: str, meeting: str = "", look_ms: int = 0) -> None:
        """Ask to join `team` instead of starting one; an empty name takes that back.

        `meeting`: how the team is met. `look_ms`: so long nothing is accepted.
        """
        to = self.tr("Invitation to {team}").format(team=team)
        self._invited_to.setText(to)
        self._meeting.setText(meeting)
        # The keyboard is in this field: it is what a screen reader says next.
        self.name.setAccessibleDescription(f"{to}. {meeting}" if team else "")
        self._invited.setVisible(bool(team))
        self._not_now.setVisible(bool(team))
        self._other_way.setHidden(bool(team))
        self.start.setText(self.tr("Join") if team else self.tr("Start a team"))
        self.start.setEnabled(not team)
        self._look_first.stop()
        if team:
            self._look_first.start(look_ms)

    def _go_on(self) -> None:
        if self.start.isEnabled():
            (self.started if self._invited.isHidden() else self.joined).emit()

    def _add_details(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(0)
        self._on = ElidedText("", self.theme, TextStyle.META, "faint")
        line.addWidget(self._on, 0)
        self.more = Button(self.tr("Details"), self.theme, ButtonKind.LINK, height=28)
        self.more.setCheckable(True)
        self.more.toggled.connect(self._show_details)
        line.addWidget(self.more)
        line.addStretch(1)
        self.column.addLayout(line)
        self._details = QWidget()
        column = QVBoxLayout(self._details)
        column.setContentsMargins(0, 0, 0, 6)
        column.setSpacing(6)
        self.computer = TextField(
            self.tr("Name of this computer"), self.theme, max_length=NAME_LIMIT, compact=True
        )
        self.computer.textChanged.connect(self._say_computer)
        column.addWidget(self.label(self.tr("Name of this computer"), self.computer))
        column.addWidget(self.computer)
        self.profile = ElidedText("", self.theme, TextStyle.META, "mute")
        column.addWidget(self.profile)
        self._details.setVisible(False)
        self.column.addWidget(self._details)

    def _add_invitation(self) -> None:
        self._other_way = QWidget()
        column = QVBoxLayout(self._other_way)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self._offer = QWidget()
        offer = QHBoxLayout(self._offer)
        offer.setContentsMargins(0, 0, 0, 0)
        offer.setSpacing(4)
        self._offered = ElidedText("", self.theme, TextStyle.META, "ink")
        offer.addWidget(self._offered)
        take = Button(self.tr("Use it"), self.theme, ButtonKind.LINK, height=28)
        take.clicked.connect(self.offer_taken)
        offer.addWidget(take)
        offer.addStretch(1)
        self._offer.setVisible(False)
        column.addWidget(self._offer)
        self._over = Text("", self.theme, TextStyle.META, "mute", wrap=True)
        self._over.hide()
        column.addWidget(self._over)
        line = QHBoxLayout()
        line.setSpacing(0)
        line.addWidget(Text(self.tr("Have an invitation?"), self.theme, TextStyle.META, "mute"))
        self.paste = Button(self.tr("Paste it"), self.theme, ButtonKind.LINK, height=28)
        self.paste.clicked.connect(self.pasted)
        line.addWidget(self.paste)
        line.addStretch(1)
        column.addLayout(line)
        self.column.addWidget(self._other_way)

    def say_offer(self, team: str, server: str = "") -> None:
        """An invitation lies on the clipboard; an empty name takes the offer back. `server`: over
        which it leads."""
        self._offered.setText(self.tr("Invitation to {team} copied.").format(team=team))
        over = self.tr("It connects to {server}, which sees the address of this computer.")
        self._over.setText(over.format(server=server))
        self._over.setVisible(bool(team and server))
        self._offer.setVisible(bool(team))

    def _say_computer(self, name: str) -> None:
        self._on.setText(self.tr("On this computer: {name} ·").format(name=name.strip() or "…"))

    def _show_details(self, on: bool) -> None:
        self._details.setVisible(on)
        if on:
            self.computer.setFocus(Qt.FocusReason.TabFocusReason)


class NameTeamStep(Step):
    """The team's name and the one switch."""

    started = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.name = TextField(
            self.tr("Name of the team"),
            theme,
            placeholder=self.tr("For example Harbour Studio"),
            max_length=NAME_LIMIT,
        )
        self.column.addWidget(self.label(self.tr("Name of the team"), self.name))
        self.column.addWidget(self.name)
        self.column.addWidget(self.problem)
        self.column.addSpacing(10)
        self.visible = Switch(
            self.tr("Show this team on the network"),
            self.tr("Computers on this network see this team's name and may ask to join."),
            theme,
        )
        self.visible.setChecked(True)
        self.column.addWidget(self.visible)
        self.column.addSpacing(14)
        self.start = Button(self.tr("Start the team"), theme, ButtonKind.PRIMARY, height=40)
        self.start.clicked.connect(self.started)
        self.name.returnPressed.connect(self.started)
        self.column.addWidget(self.start)
        self.column.addStretch(1)
        _add_back(self)

    def set_busy(self, busy: bool) -> None:
        """The team is being made."""
        self.start.setEnabled(not busy)


class PasteStep(Step):
    """The field that an invitation goes into."""

    joined = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.link = TextField(
            self.tr("Invitation"),
            theme,
            placeholder="folkmoot://join/…",
            max_length=LINK_LIMIT,
        )
        self.column.addWidget(self.label(self.tr("Invitation"), self.link))
        self.column.addWidget(self.link)
        self.hint = Text("", theme, TextStyle.META, "mute", wrap=True)
        self.column.addWidget(self.hint)
        self.say_what_it_is("")
        self.column.addWidget(self.problem)
        self.column.addSpacing(12)
        self.join = Button(self.tr("Join"), theme, ButtonKind.PRIMARY, height=40)
        self.join.clicked.connect(self.joined)
        self.link.returnPressed.connect(self.joined)
        self.column.addWidget(self.join)
        self.column.addStretch(1)
        _add_back(self)

    def say_what_it_is(self, words: str) -> None:
        """What was pasted: whose invitation, and how the team is met; empty: none yet."""
        ask = self.tr("Paste the whole link that somebody of the team gave you.")
        self.hint.setText(words or ask)


class JoiningStep(Step):
    """An invitation being followed: what is tried, what went wrong, cancel."""

    cancelled = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.title = Text("", theme, TextStyle.TITLE, wrap=True)
        self.state = Text("", theme, token="mute", wrap=True)
        self.column.addWidget(self.title)
        self.column.addWidget(self.state)
        self.column.addWidget(self.problem)
        self.column.addSpacing(12)
        self.cancel = Button(self.tr("Cancel"), theme, height=40)
        self.cancel.clicked.connect(self.cancelled)
        self.back.connect(self.cancelled)
        self.column.addWidget(self.cancel)
        self.column.addStretch(1)

    def show_joining(self, joining: Joining) -> None:
        """Say where the invitation stands."""
        team = joining.team or self.tr("the team")
        self.title.setText(self.tr("Joining {team}").format(team=team))
        self.say_problem(joining.problem)
        if joining.problem:
            words = joining.hint
        elif joining.waiting:
            words = self.tr(
                "Nobody of {team} is reachable right now. The invitation is kept, and the team "
                "opens here by itself as soon as one of its computers answers."
            ).format(team=team)
        elif joining.server:
            words = self.tr("Looking for a computer of the team, also over {server}…")
            words = words.format(server=joining.server)
        else:
            words = self.tr("Looking for a computer of the team…")
        self.state.setText(words)
        self.cancel.setText(self.tr("Back") if joining.problem else self.tr("Cancel"))


def _add_back(step: Step) -> None:
    back = Button(step.tr("Back"), step.theme, ButtonKind.LINK, height=28)
    back.clicked.connect(step.back)
    line = QHBoxLayout()
    line.addWidget(back)
    line.addStretch(1)
    step.column.addLayout(line)
