"""Quiet cards over the timeline: what is the matter here, a newer version, who asks to join."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.domain.ids import ConversationId, PersonId
from folkmoot.domain.updates import Release
from folkmoot.services.values import JoinRequest
from folkmoot.ui.about.card import UpdateCard
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline.layout import CONTENT_WIDTH
from folkmoot.ui.widgets.avatar import Avatar
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.surfaces import Banner, Card, Tone
from folkmoot.ui.widgets.text import ElidedText, Text

_Who = tuple[ConversationId, PersonId]
NO_NETWORK = "no_network"
SERVERS_AWAY = "servers_away"
UPDATED = "updated"


class AskCard(Card):
    """One person at the door."""

    admitted = Signal()
    declined = Signal(bool)
    """True: and block."""

    def __init__(self, request: JoinRequest, team: str, theme: Theme) -> None:
        super().__init__(theme, ground="panel", radius=12)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(8)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(Avatar(request.name, request.person, theme), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(ElidedText(request.name, theme, TextStyle.STRONG))
        asks = self.tr("asks to join {team}").format(team=team)
        words.addWidget(ElidedText(asks, theme, TextStyle.META, "mute"))
        if request.note:
            words.addWidget(Text(request.note, theme, wrap=True))
        top.addLayout(words, 1)
        column.addLayout(top)
        if request.words:
            column.addWidget(Text("  ".join(request.words), theme, TextStyle.TITLE, "accent"))
            hint = self.tr("They see the same four words if nobody is in between.")
            column.addWidget(Text(hint, theme, TextStyle.META, "mute", wrap=True))
        column.addLayout(self._build_acts(theme))
        self._problem = Text("", theme, TextStyle.META, "bad_text", wrap=True)
        self._problem.hide()
        column.addWidget(self._problem)
        self.setAccessibleName(f"{request.name} {asks}")

    def _build_acts(self, theme: Theme) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(8)
        self.admit = Button(self.tr("Admit"), theme, ButtonKind.PRIMARY)
        self.admit.clicked.connect(self.admitted)
        self.decline = Button(self.tr("Decline"), theme)
        self.block = QCheckBox(self.tr("and block"))
        self.block.setFont(theme.font(TextStyle.LABEL))
        self.decline.clicked.connect(lambda: self.declined.emit(self.block.isChecked()))
        line.addWidget(self.admit)
        line.addWidget(self.decline)
        line.addWidget(self.block)
        line.addStretch(1)
        return line

    def say_problem(self, words: str) -> None:
        """Show what went wrong and let it be tried again."""
        self._problem.setText(words)
        self._problem.setVisible(bool(words))
        self.set_busy(False)

    def set_busy(self, busy: bool) -> None:
        """An answer is on its way."""
        for control in (self.admit, self.decline, self.block):
            control.setEnabled(not busy)


class Cards(QWidget):
    """Notices, a newer version, then those who ask; as wide as the timeline's text."""

    admitted = Signal(bytes, bytes)
    """Team, person."""
    declined = Signal(bytes, bytes, bool)
    why_wanted = Signal()
    """The reason for a notice about connections."""
    restart_wanted = Signal()
    focus_lost = Signal()
    """The notice that had the keyboard is over."""
    notes_wanted = Signal(str)
    dismissed = Signal(str)
    """What is new in a version is wanted, or is not."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._notices: dict[str, Banner] = {}
        self._asks: dict[_Who, AskCard] = {}
        self.update_card: UpdateCard | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(20, 12, 20, 4)
        self._column.setSpacing(8)
        self.setMaximumWidth(CONTENT_WIDTH + 40)
        self.hide()

    def show_notices(self, notices: Mapping[str, tuple[str, str]]) -> None:
        """States of this computer, each with what to do about it."""
        for code in [c for c in self._notices if c not in notices]:
            self._drop(self._notices.pop(code))
        for place, (code, (message, hint)) in enumerate(notices.items()):
            words = f"{message} {hint}".strip()
            banner = self._notices.get(code)
            if banner is None:
                banner = self._make_banner(code, words)
                self._notices[code] = banner
                self._column.insertWidget(place, banner)
            banner.set_text(words)
        self._fold()

    def _make_banner(self, code: str, words: str) -> Banner:
        if code == UPDATED:
            banner = Banner(words, self._theme, act=self.tr("Restart"))
            banner.acted.connect(self.restart_wanted)
            return banner
        about = code in (NO_NETWORK, SERVERS_AWAY)
        act = self.tr("Find out why") if about else ""
        banner = Banner(words, self._theme, Tone.WARNING, act=act)
        banner.acted.connect(self.why_wanted)
        return banner

    def show_release(self, release: Release | None) -> None:
        """A newer version, between the notices and those who ask."""
        shown = self.update_card
        if shown is not None and shown.release != release:
            self._drop(shown)
            self.update_card = None
        if release is not None and self.update_card is None:
            card = self.update_card = UpdateCard(release, self._theme)
            card.notes_wanted.connect(self.notes_wanted)
            card.dismissed.connect(self.dismissed)
            self._column.insertWidget(len(self._notices), card)
        self._fold()

    def show_asks(
        self, requests: Sequence[JoinRequest], teams: Mapping[ConversationId, str]
    ) -> None:
        """Those who wait, oldest first."""
        wanted = {(r.team, r.person): r for r in requests}
        for who in [w for w in self._asks if w not in wanted]:
            self._asks.pop(who).deleteLater()
        for who, request in wanted.items():
            if who not in self._asks:
                self._asks[who] = self._make(request, teams.get(request.team, ""))
                self._column.addWidget(self._asks[who])
        self._fold()

    def ask_card(self, team: ConversationId, person: PersonId) -> AskCard | None:
        """The card of one person."""
        return self._asks.get((team, person))

    def _make(self, request: JoinRequest, team: str) -> AskCard:
        card = AskCard(request, team, self._theme)
        card.admitted.connect(lambda: self.admitted.emit(request.team, request.person))
        card.declined.connect(lambda block: self.declined.emit(request.team, request.person, block))
        return card

    def _drop(self, gone: QWidget) -> None:
        focus = QApplication.focusWidget()
        if focus is not None and gone.isAncestorOf(focus):
            self.focus_lost.emit()
        gone.hide()
        gone.deleteLater()

    def _fold(self) -> None:
        self.setVisible(bool(self._notices or self.update_card or self._asks))
