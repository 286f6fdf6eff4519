"""Decides about the cards over the timeline: notices, and those who ask to be let in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtCore import QObject

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import ConversationId, PersonId
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.facade import Node
from folkmoot.ui.main.cards import Cards
from folkmoot.ui.main.view import MainView
from folkmoot.ui.model import WindowModel


class Doorkeeper(QObject):
    """Shows the cards and does what is pressed on them."""

    def __init__(self, view: MainView, model: WindowModel, bridge: Bridge) -> None:
        super().__init__()
        self._view = view
        self._model = model
        self._bridge = bridge
        self.cards = Cards(view.theme)
        view.put_cards(self.cards)
        self.cards.admitted.connect(self._admit)
        self.cards.declined.connect(self._decline)
        model.notices_changed.connect(self._show)
        model.requests_changed.connect(self._show)
        model.teams_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        names = {team.id: team.name for team in self._model.teams.values()}
        self.cards.show_notices(self._model.notices)
        self.cards.show_asks(self._model.requests, names)

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
