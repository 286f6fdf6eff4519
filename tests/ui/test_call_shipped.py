"""Calls between shipped nodes, seen in a window; only the media processes are made up."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from folkmoot.domain.ids import ConversationId
from folkmoot.services import media_port as port
from folkmoot.services.call_values import Call, CallPhase, Participant, ParticipantState
from folkmoot.services.node import Node
from folkmoot.ui.call.desk import Desk
from ui.town import Person
from ui.window import Window, words_in

CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


def desk_of(window: Window) -> Desk:
    return window.main.calls.desk


def call_of(person: Person) -> Call | None:
    """The call at somebody else's computer."""
    return next(iter(person.look(lambda node: node.calls.list())), None)


def others_of(person: Person) -> list[Participant]:
    """Who else is in the call at somebody's computer."""
    call = call_of(person)
    return [p for p in call.participants if not p.is_me] if call is not None else []


def phase_of(person: Person) -> CallPhase | None:
    call = call_of(person)
    return call.phase if call is not None else None


def call_from_mara(mara: Person) -> Call:
    """Mara calls everybody in #general."""
    place = mara.conversation("general").id
    return mara.do(lambda node: node.calls.start(place))


def open_direct(window: Window, elin: Person, mara: Person) -> None:
    """Open the conversation between the two; both hold it."""
    team = next(iter(window.session.model.teams))

    async def make(node: Node) -> ConversationId:
        made = await node.conversations.open_direct(team, [mara.id])
        await node.messages.post(made.id, "Hello")
        return made.id

    made = elin.do(make)
    mara.until(lambda: made in {one.id for one in mara.conversations()})
    window.until(lambda: made in window.session.model.conversations)
    window.main.open_conversation(made)
    window.until_open("Mara Oduya")


def test_a_call_rings_is_answered_flows_and_ends(
    window: Window, elin: Person, mara: Person
) -> None:
    open_direct(window, elin, mara)
    window.click(window.main.view.header.voice)
    window.until(lambda: phase_of(mara) is CallPhase.RINGING)
    assert not mara.media.opened
    window.until(lambda: desk_of(window).room is not None)  # Mara may hear of it before
    room = desk_of(window).room
    assert room is not None
    window.until(lambda: "Ringing Mara" in room.window.line.text())
    call = call_of(mara)
    assert call is not None
    mara.do(lambda node: node.calls.join(call.id))
    window.until(lambda: room.call.phase is CallPhase.JOINED)
    connected = ParticipantState.CONNECTED
    window.until(lambda: [p.state for p in room.call.participants if not p.is_me] == [connected])
    assert room.window.chip.text() == "Direct, encrypted"
    QTest.keyClick(room.window, Qt.Key.Key_M, CTRL_SHIFT)
    window.until(lambda: [p.microphone for p in others_of(mara)] == [False])
    window.click(room.window.bar.leave)
    window.until(lambda: desk_of(window).room is None)
    window.until(lambda: others_of(mara) == [])


def test_who_is_rung_answers_on_the_card_and_is_heard(
    window: Window, elin: Person, mara: Person
) -> None:
    call = call_from_mara(mara)
    window.until(lambda: window.main.calls.is_loaded and desk_of(window).rings.cards)
    card = desk_of(window).rings.cards[call.id]
    assert "Mara Oduya" in words_in(card)
    assert not elin.media.opened
    window.click(card.voice)
    window.until(lambda: phase_of(mara) is CallPhase.JOINED)
    window.until(lambda: elin.media.started and elin.media.media.audio.open)


def test_declining_with_a_message_ends_the_ring_and_the_message_arrives(
    window: Window, mara: Person
) -> None:
    call = call_from_mara(mara)
    window.until(lambda: window.main.calls.is_loaded and desk_of(window).rings.cards)
    card = desk_of(window).rings.cards[call.id]
    window.click(card.message)
    QTest.keyClicks(card.words, "In a minute")
    QTest.keyClick(card.words, Qt.Key.Key_Return)
    window.until(lambda: desk_of(window).rings.cards == {})
    window.until(lambda: "In a minute" in mara.reads("general"))


def test_the_window_asks_the_media_process_for_pictures_of_who_has_a_camera_on(
    window: Window, elin: Person, mara: Person
) -> None:
    call = call_from_mara(mara)
    window.until(lambda: window.main.calls.is_loaded and desk_of(window).rings.cards)
    window.click(desk_of(window).rings.cards[call.id].voice)
    window.until(lambda: phase_of(mara) is CallPhase.JOINED)
    mara.do(lambda node: node.calls.set_camera(call.id, True))
    device = mara.keyring.device

    def asked() -> bool:
        shown = elin.media.media.of(port.ShowTiles) if elin.media.started else []
        return bool(shown) and any(tile.peer == device for tile in shown[-1].tiles)

    window.until(asked)


def test_a_media_process_that_dies_is_said_to_be_back(
    window: Window, elin: Person, mara: Person
) -> None:
    call = call_from_mara(mara)
    window.until(lambda: window.main.calls.is_loaded and desk_of(window).rings.cards)
    window.click(desk_of(window).rings.cards[call.id].voice)
    window.until(lambda: elin.media.running and phase_of(mara) is CallPhase.JOINED)
    window.until(lambda: desk_of(window).room is not None)
    room = desk_of(window).room
    assert room is not None
    first = elin.media.media
    elin.town.loop.call_soon_threadsafe(first.crash)
    window.until(lambda: elin.media.media is not first)
    window.until(lambda: room.window.notices() != ())
