"""Relays of calls between shipped nodes on virtual time: credentials, successors, words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from folkmoot.domain.ids import DeviceId
from folkmoot.services import media_port as port
from folkmoot.services.call_values import ParticipantState
from folkmoot.services.signaling_port import ServerState, TurnServer
from folkmoot.services.values import ServerPhase
from sim.calling import Caller, Party, gather
from sim.loop import sim_loop
from sim.world import until

pytestmark = pytest.mark.blocks_loop("the simulated store works inline")
URL = "turn:turn.example.org:3478?transport=udp"


@dataclass
class Offer:
    """What a server offers: credentials that are replaced again and again."""

    valid_s: int = 400
    renew_s: float = 100.0
    gives_turn: bool = True

    def state(self) -> ServerState:
        """How the server stands now."""
        since_s = asyncio.get_running_loop().time() // self.renew_s * self.renew_s
        turn = TurnServer((URL,), f"{since_s:.0f}", "secret", self.valid_s, since_s)
        ready = ServerState(ServerPhase.READY, stun="talk.example.org:8480", turn=turn)
        return ready if self.gives_turn else replace(ready, turn=None)


def play(folder: Path, story: Callable[[Party, Offer], Awaitable[None]]) -> None:
    """Tell a story of Ann and Ben, who both use a server."""

    async def told() -> None:
        party = await gather(folder, "ann", "ben")
        offer = Offer()
        for caller in party.callers.values():
            vars(caller.host.node.servers)["states"] = lambda: {"url": offer.state()}
        await story(party, offer)
        bugs = [bug for host in party.world.hosts.values() for bug in host.bugs]
        await party.world.aclose()
        assert bugs == []

    sim_loop(1).run(told())


def _stats(caller: Caller, peer: DeviceId, way: str) -> None:
    """The media process tells how a connection goes."""
    numbers: dict[str, Any] = dict.fromkeys(port.StatsRow.__struct_fields__[:22], 0)
    numbers |= {"peer": peer, "codec": "", "way": way, "quality": 3, "quality_reason": ""}
    caller.media.report(port.StatsTaken((port.StatsRow(**numbers),)))


async def _offers(party: Party) -> tuple[Caller, Caller]:
    """Who offers a connection that never comes to be, and the other."""
    one, other = sorted(party.callers.values(), key=lambda caller: caller.device)
    for caller in (one, other):
        caller.host.media.works = False
    names = {id(caller): name for name, caller in party.callers.items()}
    call = await one.calls.start(await party.direct(names[id(one)], names[id(other)]))
    await until(lambda: other.phase() is not None, 5)
    await other.calls.join(call.id)
    await until(lambda: bool(one.host.media.started) and other.device in one.media.newest, 5)
    return one, other


def _servers(caller: Caller) -> list[str]:
    """The usernames with which the media process asks for relays now."""
    told = caller.media.of(port.SetServers)
    servers = told[-1].servers if told else caller.media.begin.ice_servers
    return [server.username for server in servers if server.username]


def test_every_connection_begins_with_the_newest_credentials(tmp_path: Path) -> None:
    async def story(party: Party, offer: Offer) -> None:
        ann, ben = party["ann"], party["ben"]
        await asyncio.sleep(101)
        await party.talk(await party.direct("ann", "ben"), "ann", "ben")
        for caller in (ann, ben):
            assert _servers(caller) == ["100"]
        await asyncio.sleep(200)
        ann.media.silence(ben.device)
        await party.all_hear("ann", "ben")
        for caller in (ann, ben):
            assert _servers(caller) == ["300"]

    play(tmp_path, story)


@pytest.mark.parametrize(("way", "successors"), [("relay", 1), ("host", 0), ("srflx", 0)])
def test_a_relayed_connection_gets_a_successor_before_its_credentials_end(
    tmp_path: Path, way: str, successors: int
) -> None:
    async def story(party: Party, offer: Offer) -> None:
        ann, ben = party["ann"], party["ben"]
        await party.talk(await party.direct("ann", "ben"), "ann", "ben")
        first = ann.media.newest[ben.device]
        for _ in range(38):
            await asyncio.sleep(10)
            for one, other in ((ann, ben), (ben, ann)):
                _stats(one, other.device, way)
                assert one.connected() == {other.device}
        made = ann.media.newest[ben.device] - first
        assert made == ben.media.newest[ann.device] - first == successors

    play(tmp_path, story)


def test_a_connection_that_fails_without_a_relay_says_why(tmp_path: Path) -> None:
    async def story(party: Party, offer: Offer) -> None:
        ann, ben = await _offers(party)
        ann.media.report(port.TurnTried("refused", URL))
        ann.media.report(port.PathChanged(ben.device, ann.media.newest[ben.device], "failed"))
        [seen] = [one for one in ann.call.participants if not one.is_me]
        assert (seen.state, seen.quality_reason) == (ParticipantState.CONNECTING, "no_relay")
        assert ann.notices() == ["no_relay"]
        checked = ann.calls.relay()
        assert checked is not None
        assert (checked.code, checked.url) == ("refused", URL)
        assert "credentials" in checked.words

    play(tmp_path, story)


def test_attempts_that_follow_each_other_in_vain_say_why_too(tmp_path: Path) -> None:
    async def story(party: Party, offer: Offer) -> None:
        ann, ben = await _offers(party)
        ann.media.report(port.TurnTried("refused", URL))
        await asyncio.sleep(10)
        assert ann.notices() == []
        await asyncio.sleep(10)
        [seen] = [one for one in ann.call.participants if not one.is_me]
        assert seen.quality_reason == "no_relay"
        assert ann.notices() == ["no_relay"]
        newest = ann.media.newest[ben.device]
        ann.media.report(port.PathChanged(ben.device, newest, "connected"))
        assert ann.notices() == ["no_relay", "no_relay"], "the second takes the words away"

    play(tmp_path, story)


def test_a_connection_that_fails_though_there_is_a_relay_blames_it_not(tmp_path: Path) -> None:
    async def story(party: Party, offer: Offer) -> None:
        ann, ben = await _offers(party)
        ann.media.report(port.TurnTried("ok", URL))
        ann.media.report(port.PathChanged(ben.device, ann.media.newest[ben.device], "failed"))
        [seen] = [one for one in ann.call.participants if not one.is_me]
        assert seen.quality_reason != "no_relay"
        assert "no_relay" not in ann.notices()

    play(tmp_path, story)
