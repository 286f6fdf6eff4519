"""A server that says odd things beside the frames: its word is bounded, checked, and only delays.

What stops it: `net.signaling_client` ends a connection that breaks the rules and comes back later;
links, other servers and the direct way do not notice. A login is signed for one address.
"""

from __future__ import annotations

import asyncio
import os

import pytest

from folkmoot.domain.ids import DeviceId
from folkmoot.domain.servers import parse_server
from folkmoot.protocol import signaling as words
from folkmoot.services.values import ServerPhase
from integration.attacked.town import Town
from integration.linked.nodes import until
from lab.lying_server import LyingServer
from lab.signal_client import SignalClient
from lab.signal_server import signal_server
from lab.wicked_server import LIMITS, Visit

HUGE = 2**53 - 1
TAG, GHOST = b"t" * 16, DeviceId(b"g" * 32)
ODD: dict[str, tuple[bytes, ...]] = {
    "an old ready": (words.write_control(words.Ready("t", 900, b"", 0, words.Turn())),),
    "another hello": (words.write_control(words.Hello(1, b"s" * 32, b"n" * 32, LIMITS)),),
    "a challenge that nobody asked for": (words.write_control(words.Challenge(b"n" * 32)),),
    "a renewal that nobody asked for": (
        words.write_control(words.Renewed("t", 900, words.Turn())),
    ),
    "words of a node": (words.write_control(words.Enter((TAG,))),),
    "a token for ever": (words.write_control(words.Renewed("t", HUGE, words.Turn())),),
    "errors that forbid for ever": (
        *(words.write_control(words.Error("too_fast", "x" * 200, HUGE)) for _ in range(500)),
        words.write_control(words.Error("room_full", "", HUGE)),
        words.write_control(words.Error("\u202emarkup <b>", "<img src=x>", HUGE)),
    ),
    "restarting in a year": (words.write_control(words.Restarting(HUGE)),),
    "restarting at once, again and again": (words.write_control(words.Restarting(0)),) * 300,
    "restarting to no server": (words.write_control(words.Restarting(0, "file:///etc/passwd")),),
    "restarting to a port inside": (words.write_control(words.Restarting(0, "ws://127.0.0.1:9")),),
    "mail that was kept for ever": (words.write_control(words.Kept(b"i" * 16, HUGE)),),
    "gone, a thousand times": (words.write_control(words.Gone(GHOST)),) * 1000,
    "rooms that are not ours": (
        words.write_control(words.Room(TAG, (GHOST,))),
        words.write_control(words.Came(TAG, GHOST)),
    ),
    "frames of nobody": (words.write_relay(GHOST, os.urandom(1200)),) * 500,
    "a short frame": (b"\x01" + GHOST,),
    "garbage": (os.urandom(500),),
    "nesting": (b"\x00" + b"\x91" * 4000,),
    "the largest message": (b"\x00\x91" + b"\x00" * 65_000,),
    "nothing": (b"\x00",),
    "an unknown kind": (b"\x02hello",),
}


@pytest.mark.parametrize("odd", ODD)
async def test_odd_words_delay_at_most(town: Town, server: LyingServer, odd: str) -> None:
    """Both nodes hear it while they write; the link outlives it, or is made again."""
    await town.crew(server.url)
    tasks = len(asyncio.all_tasks())
    ann, ben = town.residents.values()
    for one in (ann, ben):
        for data in ODD[odd]:
            server._send(one.device, data)
    await town.say("ann", "is it odd?")
    await town.say("ben", "it is")
    await town.agree()
    await until(lambda: ann.ready() and ben.ready())
    assert len(asyncio.all_tasks()) < tasks + 20
    texts = [row.words + row.hint for one in (ann, ben) for row in one.node.servers.list()]
    assert not any("img" in text or "\u202e" in text for text in texts)
    await until(lambda: ann.linked == {ben.device})


def _limits(**wrong: int) -> words.Limits:
    fields = {name: getattr(LIMITS, name) for name in words.Limits.__struct_fields__}
    return words.Limits(**{**fields, **wrong})


WRONG_LIMITS = {
    "all zero": words.Limits(0, 0, 0, 0, 0, 0, 0),
    "all huge": words.Limits(HUGE, HUGE, HUGE, HUGE, HUGE, HUGE, HUGE),
    "one byte relayed": _limits(relayed_bytes=1),
    "one frame a second": _limits(frames_per_s=1),
    "no rooms": _limits(rooms=0),
}


@pytest.mark.parametrize("limits", WRONG_LIMITS)
async def test_odd_limits_delay_until_another_server_is_there(
    town: Town, server: LyingServer, limits: str
) -> None:
    async with LyingServer() as good:
        await town.crew(server.url, good.url)
        server.limits = WRONG_LIMITS[limits]
        server.drop()
        await until(lambda: len(server.visits) >= 4 and len(server.here) == 2)
        for one in town.residents.values():
            for link in one.node.links.members():
                link.close("closing", "To be dialled anew.")
        await town.say("ann", "by the other one")
        await town.say("ben", "yes")
        await town.agree()


async def test_a_direct_way_makes_a_silent_server_meaningless(
    town: Town, server: LyingServer
) -> None:
    """It relays nothing any more; the two come into one network."""
    await town.crew(server.url)
    ann, ben = town.residents.values()
    server.lie = lambda _frame: ()
    await town.say("ann", "over the table")
    ann.tcp.open = ben.tcp.open = True
    await ann.node.peers.dial(ben.node.listening[0])
    await town.agree()
    server.behave()


async def test_a_login_passed_on_to_another_server_is_refused_there(
    town: Town, server: LyingServer
) -> None:
    """The signature names the address that the node dialled: another server's challenge, answered
    to a lying server, opens nothing there. Nor does an old answer."""
    with signal_server() as honest:
        refused: list[str] = []

        async def greet(visit: Visit) -> None:
            async with await SignalClient.connect(honest.url) as there:
                assert there.hello is not None
                await visit.say(there.hello)
                login = await visit.hear()
                assert isinstance(login, words.Login)
                assert login.origin == server.url
                origin = honest.url if refused else login.origin
                passed_on = words.Login(1, login.device, origin, login.signature)
                await there.send(passed_on)
                refused.append((await there.wait(words.Error)).code)

        server.greet = greet
        opening = asyncio.ensure_future(town.open("ann", server.url))
        await until(lambda: len(refused) >= 2)
        assert refused[:2] == ["foreign_origin", "bad_login"]
        server.behave()
        await opening


async def test_a_server_that_sends_away_again_and_again_is_not_hammered(
    town: Town, server: LyingServer
) -> None:
    """It may ask to come back at once, but only now and then; else the usual waits hold."""
    await town.crew(server.url)

    async def greet(visit: Visit) -> None:
        await visit.let_in(server=server.id)
        await visit.say(words.Restarting(0))
        await visit.stay()

    server.greet = greet
    before = len(server.visits)
    server.drop()
    await asyncio.sleep(2)
    assert len(server.visits) - before < 40  # a wait of this town is 0.2 s, elsewhere 1 s and more
    server.behave()
    await town.say("ann", "may I stay now?")
    await town.agree()


async def test_a_server_that_changes_its_id_is_only_another_server(
    town: Town, server: LyingServer
) -> None:
    """Nobody believes an id: it is signed over, so that no login serves at another server."""
    await town.crew(server.url)
    for _ in range(3):
        server.id = os.urandom(32)
        before = len(server.visits)
        server.drop()
        await until(lambda before=before: len(server.visits) >= before + 2)  # type: ignore[misc]
        await until(lambda: len(server.here) == 2)
    await town.say("ann", "who are you now?")
    await town.agree()


async def test_a_server_that_sends_on_to_another_is_followed_only_to_itself(
    town: Town, server: LyingServer
) -> None:
    """The other has another id, so it is not told who comes: the node goes back."""
    async with LyingServer() as other:
        await town.crew(server.url)
        ann = town.residents["ann"]
        server.tell(ann.device, words.Restarting(0, other.url))
        await until(lambda: len(other.visits) >= 1)
        await until(lambda: len(server.visits) >= 3)
        assert not other.here
        assert ann.node.servers.list()[0].url == str(parse_server(server.url))
        await until(ann.ready)
        assert ann.node.servers.list()[0].phase is ServerPhase.READY
        await town.say("ann", "back")
        await town.agree()
