"""A server that drops, delays, mixes, repeats and changes the frames that it relays.

What stops it: QUIC. Every packet is numbered and authenticated by keys that the server does not
have; what is missing is sent again, what came before, or is changed, is thrown away.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from folkmoot.domain.servers import parse_server, relay_address
from folkmoot.protocol import frames as link_frames
from folkmoot.protocol import signaling as words
from folkmoot.services.link import Link
from integration.attacked.town import Town
from integration.linked.nodes import until
from lab.lying_server import Lie, LyingServer, Passed


def every_fifth_is_dropped() -> Lie:
    count = iter(range(10**9))
    return lambda frame: () if next(count) % 5 == 4 else (frame,)


def all_are_late() -> Lie:
    return lambda frame: (replace(frame, after_s=0.25),)


def order_is_mixed() -> Lie:
    chance = random.Random(1)
    return lambda frame: (replace(frame, after_s=chance.choice((0.0, 0.02, 0.06))),)


def all_come_thrice() -> Lie:
    return lambda frame: (frame, frame, replace(frame, after_s=0.3))


def a_bit_is_changed_in_every_fourth() -> Lie:
    chance, count = random.Random(2), iter(range(10**9))

    def lie(frame: Passed) -> Iterable[Passed]:
        if next(count) % 4 == 3:
            data = bytearray(frame.payload)
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            frame = replace(frame, payload=bytes(data))
        return (frame,)

    return lie


def garbage_comes_with_each() -> Lie:
    chance = random.Random(3)

    def lie(frame: Passed) -> Iterable[Passed]:
        noise = frame.payload[:9] + chance.randbytes(chance.randrange(1, 1400))
        return (replace(frame, payload=noise), frame, replace(frame, payload=noise[8:]))

    return lie


def all_are_cut_short_and_again_whole() -> Lie:
    return lambda frame: (
        replace(frame, payload=frame.payload[: max(1, len(frame.payload) // 2)]),
        replace(frame, after_s=0.02),
    )


LIES = (
    every_fifth_is_dropped,
    all_are_late,
    order_is_mixed,
    all_come_thrice,
    a_bit_is_changed_in_every_fourth,
    garbage_comes_with_each,
    all_are_cut_short_and_again_whole,
)


@pytest.mark.parametrize("attack", LIES, ids=lambda attack: attack.__name__)
async def test_what_is_done_to_frames_is_delay_at_most(
    town: Town, server: LyingServer, attack: Callable[[], Lie]
) -> None:
    await town.crew(server.url)
    tasks = len(asyncio.all_tasks())
    server.lie = attack()
    for number in range(8):
        await town.say("ann", f"from ann {number}")
        await town.say("ben", f"from ben {number}")
    await town.agree()
    assert len(asyncio.all_tasks()) < tasks + 20
    server.behave()
    await town.say("ben", "in the end")
    await town.agree()


@pytest.mark.long
async def test_nothing_at_all_for_three_seconds_ends_no_link(
    town: Town, server: LyingServer
) -> None:
    """The heartbeat of the link waits longer; QUIC sends again what got lost."""
    await town.crew(server.url)
    [link] = town.residents["ann"].node.links.members()
    server.lie = lambda _frame: ()
    await town.say("ann", "into the void")
    await town.say("ben", "from the other side")
    await asyncio.sleep(3)
    server.behave()
    await town.agree()
    assert town.residents["ann"].node.links.members() == [link]


async def test_frames_given_to_another_are_nothing_to_that_one(
    town: Town, server: LyingServer
) -> None:
    """Ann's link to ben is led to cyd: QUIC begins, but cyd is not whom ann names in her proof."""
    town.members = 3
    await town.crew(server.url, names="ann ben cyd")
    ann, ben, cyd = town.residents.values()
    url = parse_server(server.url)

    def swap(frame: Passed) -> Iterable[Passed]:
        if (frame.source, frame.to) == (ann.device, ben.device):
            return (replace(frame, to=cyd.device),)
        if (frame.source, frame.to) == (cyd.device, ann.device):
            return (replace(frame, source=ben.device), frame)
        return (frame,)

    server.lie = swap
    for link in [*ann.node.links.members(), *ben.node.links.members()]:
        link.close("closing", "To be dialled anew.")
    await until(lambda: ben.device not in ann.linked)
    await town.say("ann", "for both")
    attempts, place = ann.node._network.attempts, relay_address(url, ben.device)
    await until(lambda: getattr(attempts.at(place, ben.device), "code", "") == "other_device")
    for link in ann.node.links.members():
        assert (link.device, link.person) == (cyd.device, cyd.person)
    await town.agree()  # by way of cyd, who is honest
    server.behave()
    await town.say("ben", "back again")
    await until(lambda: ben.device in ann.linked)
    await town.agree()


@pytest.mark.parametrize("named", ["nobody", "cyd"])
async def test_frames_in_the_name_of_another_are_not_taken(
    town: Town, server: LyingServer, named: str
) -> None:
    """Packets belong to a connection with one device; from another their id is unknown."""
    town.members = 3
    await town.crew(server.url, names="ann ben cyd")
    ann, ben, cyd = town.residents.values()
    other = cyd.device if named == "cyd" else type(cyd.device)(b"n" * 32)
    server.lie = lambda frame: (
        (frame, replace(frame, source=other)) if frame.source == ben.device else (frame,)
    )
    for number in range(5):
        await town.say("ben", f"I am ben {number}")
    await town.agree()
    await until(lambda: ann.linked == {ben.device, cyd.device})
    server.lie = lambda frame: (
        (replace(frame, source=other),) if frame.source == ben.device else (frame,)
    )
    await town.say("ben", "still ben")
    await asyncio.sleep(0.5)
    server.behave()
    await town.agree()


async def test_an_old_session_that_is_played_again_is_silence(
    town: Town, server: LyingServer
) -> None:
    """Every packet of ben's whole first session, in order, when ben is gone: each connection has
    new keys and a new nonce, so nothing is proved, and what was written does not come again."""
    await town.crew(server.url)
    ann, ben = town.residents.values()
    await town.say("ben", "only once")
    await town.agree()
    old = [frame for frame in server.frames if frame.source == ben.device]
    await town.close("ben")
    await until(lambda: not ann.linked)
    for _ in range(3):
        for frame in old:
            server.hand(frame)
    await town.say("ann", "who is there?")
    await asyncio.sleep(0.5)
    assert not ann.linked
    assert ann.node.presence.online() == 0
    assert not ann.node.links.strangers()
    await town.agree()
    await town.open("ben", server.url)
    await town.agree()


async def test_what_two_say_about_ways_and_calls_is_neither_seen_nor_changed(
    town: Town, server: LyingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Candidates, passwords and descriptions of calls go inside the link only."""
    await town.crew(server.url)
    ann, ben = town.residents.values()
    got: list[link_frames.Frame] = []
    kinds = (link_frames.IceOffer, link_frames.CallOffer)

    async def take(_link: Link, frame: link_frames.Frame) -> None:
        got.append(frame)

    for kind in kinds:
        ben.node.links.handle(kind, take)
    sdp = "v=0\r\na=fingerprint:sha-256 AB:CD\r\na=ice-ufrag:Uf7R\r\na=ice-pwd:pw012345\r\n"
    offer = link_frames.IceOffer(1, "uFrAgOne", "p4ssw0rdp4ssw0rdp4ssw0rd", ())
    server.lie = a_bit_is_changed_in_every_fourth()
    [link] = ann.node.links.members()
    call = make_call_offer(sdp)
    for _ in range(20):
        link.send(offer)
        link.send(call)
    await until(lambda: len(got) == 40)
    assert got == [offer, call] * 20
    wire = b"".join(server.seen)
    for text in ("ice-ufrag", "fingerprint", "Uf7R", "uFrAgOne", "p4ssw0rd", "candidate"):
        assert text.encode() not in wire
    server.behave()
    await town.agree()


async def test_all_that_goes_to_a_server_are_its_words_and_packets_of_quic(
    town: Town, server: LyingServer
) -> None:
    await town.crew(server.url)
    for name in ("ann", "ben"):
        await town.say(name, f"a text of {name}")
    await town.agree()
    kinds: set[type[words.Control]] = set()
    for data in server.seen:
        if data[0] == words.RELAY:
            _to, flags, payload = words.read_relay(data)
            assert flags == 0
            assert payload[0] & 0x40, "the fixed bit of every packet (RFC 9000, 17.2)"
            assert len(payload) <= 16_384
        else:
            kinds.add(type(words.read_control(data, from_server=False)))
    assert kinds <= {words.Login, words.Enter, words.Leave, words.Put, words.Taken}
    wire = b"".join(server.seen)
    for text in (b"a text of", b"Crew", b"general", b"computer", *town.persons()):
        assert text not in wire


def make_call_offer(sdp: str) -> link_frames.CallOffer:
    """A description as it goes over a link."""
    return link_frames.CallOffer(b"c" * 32, 1, sdp)
