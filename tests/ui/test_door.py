"""The cards over the timeline: who asks to be let in, and what becomes of it."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from folkmoot.domain.ids import ConversationId
from folkmoot.services.events import AskAnswered, Event
from folkmoot.ui.main.cards import AskCard
from ui.town import Person, Town
from ui.window import Window, words_in


@pytest.fixture
def per(town: Town) -> Person:
    """Somebody who is in no team."""
    return town.person("Per")


def ask(window: Window, who: Person, team: ConversationId, note: str = "") -> AskCard:
    """Somebody asks; the card in the window."""
    who.look(lambda node: node.nearby.start())
    window.until(lambda: who.look(lambda node: node.nearby.hosts(team)))
    who.do(lambda node: node.joining.ask(team, note))
    window.until(lambda: window.main.door.cards.ask_card(team, who.id))
    card = window.main.door.cards.ask_card(team, who.id)
    assert card is not None
    return card


def is_gone(window: Window, who: Person, team: ConversationId) -> bool:
    return window.main.door.cards.ask_card(team, who.id) is None


def test_who_asks_is_one_quiet_card_with_the_words_that_both_see(
    window: Window, per: Person, team: ConversationId
) -> None:
    card = ask(window, per, team, "We met on the quay")
    window.until(card.isVisible)
    assert QApplication.activeModalWidget() is None
    assert window.main.view.conversation.composer.editor.hasFocus()
    shown = words_in(card)
    assert "Per" in shown
    assert "asks to join Harbour Studio" in shown
    assert "We met on the quay" in shown
    words = per.look(lambda node: node.nearby.teams())[0].words
    assert len(words) == 4
    assert "  ".join(words) in shown


def test_admit_lets_in(window: Window, per: Person, team: ConversationId) -> None:
    card = ask(window, per, team)
    window.click(card.admit)
    window.until(lambda: is_gone(window, per, team))
    window.until(lambda: "general" in [c.name for c in per.conversations()])
    window.until(lambda: window.main.view.header.members.accessibleName() == "Members: 3")
    per.write("general", "Thank you")
    window.until(lambda: window.texts() == ["Thank you"])


def test_decline_turns_away_and_they_may_ask_again(
    window: Window, per: Person, team: ConversationId
) -> None:
    told: list[Event] = []
    per.listen(told.append)
    card = ask(window, per, team)
    window.click(card.decline)
    window.until(lambda: is_gone(window, per, team))
    declined = AskAnswered(team, "Harbour Studio", "declined")
    window.until(lambda: declined in told)
    assert per.look(lambda node: node.teams.list()) == []
    window.until(ask(window, per, team).isVisible)


def test_decline_and_block_turns_away_for_good(
    window: Window, elin: Person, per: Person, team: ConversationId
) -> None:
    told: list[Event] = []
    per.listen(told.append)
    card = ask(window, per, team)
    window.click(card.block)
    window.click(card.decline)
    declined = AskAnswered(team, "Harbour Studio", "declined")
    window.until(lambda: declined in told)
    window.until(lambda: is_gone(window, per, team))
    told.clear()
    per.do(lambda node: node.joining.ask(team))
    window.until(lambda: declined in told)
    assert elin.look(lambda node: node.joining.requests()) == []
    assert is_gone(window, per, team)


def test_who_took_the_request_back_cannot_be_let_in_by_mistake(
    window: Window, per: Person, team: ConversationId
) -> None:
    ask(window, per, team)
    per.do(lambda node: node.joining.cancel(team))
    per.close()
    card = window.main.door.cards.ask_card(team, per.id)
    assert card is not None
    window.click(card.admit)
    window.until(lambda: is_gone(window, per, team))
