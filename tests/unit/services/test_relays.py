"""Which STUN and TURN servers calls use, how credentials are renewed, and what is said without."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from folkmoot.domain.ids import DeviceId
from folkmoot.services.calls import relays
from folkmoot.services.calls.relays import Relays
from folkmoot.services.events import CallNotice, Event, EventBus
from folkmoot.services.media_port import MAX_ICE_SERVERS, IceServer, TurnTried
from folkmoot.services.signaling_port import ServerState, TurnServer
from folkmoot.services.values import ServerPhase
from sim.loop import sim_loop

BEN = DeviceId(b"b" * 32)
URLS = ("turn:turn.example.org:3478?transport=udp", "turns:turn.example.org:5349?transport=tcp")
TURN = TurnServer(URLS, "7:ada", "secret", 3600, 0.0)
STATE = ServerState(ServerPhase.READY, stun="talk.example.org:8480", turn=TURN)


class Made:
    """Relays, what servers offer, and what was told."""

    def __init__(self, *states: ServerState) -> None:
        self.states = list(states)
        self.told: list[Event] = []
        events = EventBus()
        events.listen(self.told.append)
        self.relays = Relays(lambda: self.states, events, lambda: 7)

    def notices(self) -> list[str]:
        return [event.message for event in self.told if isinstance(event, CallNotice)]


def test_what_the_person_named_comes_before_what_servers_offer() -> None:
    async def story() -> None:
        made = Made(STATE, ServerState(ServerPhase.WAITING))
        assert made.relays.servers() == (
            IceServer("stun:talk.example.org:8480"),
            IceServer(URLS[0], "7:ada", "secret"),
            IceServer(URLS[1], "7:ada", "secret"),
        )
        made.relays.typed = (IceServer("turn:own.example.org", "me", "mine"),)
        assert made.relays.servers()[0] == made.relays.typed[0]

    sim_loop(1).run(story())


@pytest.mark.parametrize(
    "turn",
    [
        replace(
            TURN, urls=("http://turn.example.org", "turn:", "turn:a b", "turns:x?transport=udp")
        ),
        replace(TURN, urls=("turn:" + "a" * 600,)),
        replace(TURN, credential="x" * 600),
        replace(TURN, since_s=-3601.0),
    ],
)
def test_what_no_connection_can_use_is_left_out(turn: TurnServer) -> None:
    async def story() -> None:
        made = Made(replace(STATE, turn=turn))
        assert made.relays.servers() == (IceServer("stun:talk.example.org:8480"),)

    sim_loop(1).run(story())


def test_no_more_servers_than_the_media_process_takes() -> None:
    async def story() -> None:
        urls = tuple(f"turn:{number}.example.org" for number in range(100))
        made = Made(replace(STATE, turn=replace(TURN, urls=urls)))
        assert len(made.relays.servers()) == MAX_ICE_SERVERS

    sim_loop(1).run(story())


def test_a_connection_gets_a_successor_before_its_credentials_end() -> None:
    async def story() -> None:
        made = Made(STATE)
        made.relays.connecting(BEN)
        margin_s = min(relays.MARGIN_S, TURN.valid_s / 4)
        await asyncio.sleep(TURN.valid_s - margin_s - 1)
        made.states = [replace(STATE, turn=replace(TURN, since_s=2000.0))]
        assert not made.relays.is_due(BEN)
        await asyncio.sleep(2)
        assert made.relays.is_due(BEN)
        made.relays.connecting(BEN)
        assert not made.relays.is_due(BEN)

    sim_loop(1).run(story())


def test_without_newer_credentials_a_successor_would_be_of_no_use() -> None:
    async def story() -> None:
        made = Made(STATE)
        made.relays.connecting(BEN)
        await asyncio.sleep(TURN.valid_s - 1)
        assert not made.relays.is_due(BEN)
        made.states = []
        assert not made.relays.is_due(BEN)

    sim_loop(1).run(story())


def test_what_a_person_named_has_no_end() -> None:
    async def story() -> None:
        made = Made()
        made.relays.connecting(BEN)
        await asyncio.sleep(10**6)
        assert not made.relays.is_due(BEN)

    sim_loop(1).run(story())


def test_a_connection_that_fails_for_want_of_a_relay_says_so_once_for_each_cause() -> None:
    async def story() -> None:
        made = Made(STATE)
        made.relays.failed()
        assert not made.notices()  # a relay is offered, and nothing is known against it
        for _ in range(3):
            made.relays.take(TurnTried("refused", URLS[0]))
            made.relays.failed()
        assert len(made.notices()) == 1
        assert "credentials" in made.notices()[0]
        made.relays.take(TurnTried("no_answer", URLS[0]))
        made.relays.failed()
        assert len(made.notices()) == 2
        made.relays.take(TurnTried("ok", URLS[0]))
        made.relays.failed()
        assert len(made.notices()) == 2
        last = made.relays.last
        assert last is not None
        assert (last.code, last.words, last.url, last.at_ms) == ("ok", "", URLS[0], 7)

    sim_loop(1).run(story())


def test_where_nobody_offers_a_relay_that_is_said() -> None:
    async def story() -> None:
        made = Made(replace(STATE, turn=None))
        made.relays.failed()
        (words,) = made.notices()
        assert "no relay" in words

    sim_loop(1).run(story())
