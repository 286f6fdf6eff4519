"""Decides about the cards over the timeline: notices, who asks to be let in, a newer version."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtCore import QObject, QTimer, Signal

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import ConversationId, PersonId
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.facade import Node
from folkmoot.ui.main.cards import NO_NETWORK, SERVERS_AWAY, Cards
from folkmoot.ui.main.view import MainView
from folkmoot.ui.model import WindowModel

AWAY_MS = 20_000
"""A server that starts anew is back before that, and nobody needs to know."""


class Doorkeeper(QObject):
    """Shows the cards and does what is pressed on them."""

    why_wanted = Signal()
    restart_wanted = Signal()
    notes_wanted = Signal(str)
    """Read at this address what is new in a version."""
    dismissed = Signal(str)
    """Say no more of this version."""

    def __init__(self, view: MainView, model: WindowModel, bridge: Bridge) -> None:
        super().__init__()
        self._view = view
        self._model = model
        self._bridge = bridge
        self.cards = Cards(view.theme)
        view.put_cards(self.cards)
        self.cards.admitted.connect(self._admit)
        self.cards.declined.connect(self._decline)
        self.cards.why_wanted.connect(self.why_wanted)
        self.cards.restart_wanted.connect(self.restart_wanted)
        self.cards.notes_wanted.connect(self.notes_wanted)
        self.cards.dismissed.connect(self.dismissed)
        self.cards.focus_lost.connect(view.conversation.composer.setFocus)
        self._told = False
        self.patience = QTimer(view, singleShot=True, interval=AWAY_MS)
        self.patience.timeout.connect(self._tell_away)
        model.notices_changed.connect(self._show)
        model.requests_changed.connect(self._show)
        model.updates_changed.connect(self._show)
        model.teams_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        names = {team.id: team.name for team in self._model.teams.values()}
        self.cards.show_notices(self._notices())
        self.cards.show_asks(self._model.requests, names)
        updates = self._model.updates
        self.cards.show_release(None if updates.dismissed else updates.offer)

    def _tell_away(self) -> None:
        self._told = True
        self._show()

    def _notices(self) -> dict[str, tuple[str, str]]:
        """What is told now: not yet that servers are away, and never beside that all is."""
        notices = dict(self._model.notices)
        if SERVERS_AWAY not in notices:
            self._told = False
            self.patience.stop()
        elif not self._told:
            del notices[SERVERS_AWAY]
            if not self.patience.isActive():
                self.patience.start()
        elif NO_NETWORK in notices:
            del notices[SERVERS_AWAY]
        return notices

    def _admit(self, team: bytes, person: bytes) -> None:
        who = ConversationId(team), PersonId(person)
        self._answer(*who, lambda node: node.joining.admit(*who))

    def _decline(self, team: bytes, person: bytes, block: bool) -> None:
        who = ConversationId(team), PersonId(person)
        self._answer(*who, lambda node: node.joining.decline(*who, block))

    def _answer(
        self, team: ConversationId, person: PersonId, act: Callable[[Node], Awaitable[object]]
    ) -> None:
        card = self.cards.ask_card(team, person)
        if card is not None:
            card.set_busy(True)
            self._view.conversation.composer.setFocus()

        async def work() -> None:
            try:
                await self._bridge.ask(act)
            except FolkmootError as error:
                card = self.cards.ask_card(team, person)
                if card is not None:
                    card.say_problem(str(error))

        self._bridge.run(work(), "ui: answer at the door")
