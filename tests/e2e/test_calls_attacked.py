"""A member with valid keys joins a call of real nodes and sends what no honest device sends.

The nodes are processes; the attacker speaks on links of its own over real TLS, and over media
connections of a library that says what it is told to say.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import struct
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)

from e2e.calling import Caller, crew, talk, wait_state
from e2e.nodes import until
from folkmoot.domain.ids import ConversationId, PersonId
from folkmoot.media.descriptions import as_sent
from folkmoot.media.private import transport_of
from folkmoot.net.tls import TlsTransport
from folkmoot.protocol import frames
from integration.linked.nodes import open_node
from sim.attackers import RawLink, dial
from sim.world import keys_of

pytestmark = [
    pytest.mark.long,
    pytest.mark.blocks_loop("other processes are asked"),
    pytest.mark.timeout(240),
]
OTHERS = ":".join(["AB"] * 32)


class Mallory:
    """A member whose node is stopped and whose keys are used by hand."""

    def __init__(self, secret: bytes, conversation: bytes) -> None:
        self.keyring = keys_of("mallory")
        self.device = self.keyring.device
        self._secret = secret
        self._conversation = conversation
        self._door = TlsTransport()
        self._sequence = itertools.count(1)
        self._links: dict[str, RawLink] = {}
        self._ended: list[RTCPeerConnection] = []
        self.heard = 0
        """Packets of sound or pictures that came."""

    async def link(self, victim: Caller) -> RawLink:
        """A link to the victim that lives."""
        link = self._links.get(victim.node.name)
        if link is None or link.closed:
            link = await dial(self._door, victim.node.address, self.keyring, self._secret)
            self._links[victim.node.name] = link
        return link

    async def say(self, victim: Caller, call: str, state: str = "joined") -> None:
        """Say how this device stands in a call."""
        link = await self.link(victim)
        word = frames.CallState(
            call=bytes.fromhex(call),
            conversation=ConversationId(self._conversation),
            sequence=next(self._sequence),
            state=state,
            flags=frames.CALL_MICROPHONE,
            started_ms=0,
            started_by=PersonId(bytes.fromhex(victim.node.person)),
            rings=(),
        )
        link.send(word)

    async def describe(
        self, victim: Caller, call: str, spoil: Callable[[str], str]
    ) -> RTCPeerConnection:
        """Join and describe a connection, spoilt, as offer or answer, whichever is due."""
        await self.say(victim, call)
        link = await self.link(victim)
        mine = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._ended.append(mine)
        id_ = bytes.fromhex(call)
        if self.device < bytes.fromhex(victim.node.device):
            for kind in ("audio", "video", "video"):
                mine.addTransceiver(kind, direction="sendrecv")
            await mine.setLocalDescription(await mine.createOffer())
            sdp = spoil(as_sent(mine.localDescription.sdp))
            self._count(mine)
            link.send(frames.CallOffer(id_, 1, sdp))
            answer = await _newest(link, frames.CallAnswer, id_, 3)
            if answer is not None:
                await mine.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        else:
            offer = await _newest(link, frames.CallOffer, id_, 20)
            assert offer is not None
            await mine.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
            await mine.setLocalDescription(await mine.createAnswer())
            sdp = spoil(as_sent(mine.localDescription.sdp))
            self._count(mine)
            link.send(frames.CallAnswer(id_, offer.connection, sdp))
        return mine

    def _count(self, mine: RTCPeerConnection) -> None:
        transport = transport_of(mine)
        take = transport._handle_rtp_data

        async def counted(data: bytes, arrival_time_ms: int) -> None:
            self.heard += 1
            await take(data, arrival_time_ms=arrival_time_ms)

        transport._handle_rtp_data = counted  # type: ignore[method-assign]

    async def aclose(self) -> None:
        """Hang up everywhere."""
        for mine in self._ended:
            await mine.close()
        for link in self._links.values():
            await link.aclose()
        await self._door.aclose()


async def _newest(
    link: RawLink,
    kind: type[frames.CallOffer] | type[frames.CallAnswer],
    call: bytes,
    within_s: float,
) -> frames.CallOffer | frames.CallAnswer | None:
    """The newest description for a call; None when none comes."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        found = [frame for frame in link.of(kind) if frame.call == call]
        if found:
            return found[-1]
        await asyncio.sleep(0.02)
    return None


@contextlib.asynccontextmanager
async def _attack(folder: Path) -> AsyncIterator[tuple[Caller, Caller, Mallory, str]]:
    """Ann and Ben, whose team Mallory joined in good order before."""
    with crew(folder, "ann", "ben") as ((ann, ben), general):
        honest = await open_node("mallory", folder)
        [team] = await asyncio.to_thread(ann.node.items, "/teams")
        link = await asyncio.to_thread(ann.node.post, f"/teams/{team['id']}/invites")
        await honest.joining.join(link["link"])
        secret = honest.registry.teams()[0].secrets[-1]
        person = honest.identity.person.hex()
        await honest.aclose()
        for one in (ann, ben):
            known = partial(_knows, one, str(team["id"]), person)
            await asyncio.to_thread(until, known, f"{one.node.name} knows Mallory")
        mallory = Mallory(secret, bytes.fromhex(general))
        try:
            yield ann, ben, mallory, general
        finally:
            await mallory.aclose()


def _knows(one: Caller, team: str, person: str) -> bool:
    return person in {each["person"] for each in one.node.items(f"/teams/{team}/members")}


def _start(ann: Caller, ben: Caller, general: str) -> str:
    call = ann.start(general, video=False)
    wait_state(ben, call, "ringing")
    ben.join(call, video=False)
    talk(call, ann, ben, watch=False)
    return call


def _participant(victim: Caller, call: str, mallory: Mallory) -> str:
    """How the victim sees Mallory in the call; empty: not at all."""
    room = victim.room(call)
    rows = [] if room is None else room["participants"]
    device = mallory.device.hex()
    return next((str(row["state"]) for row in rows if row["device"] == device), "")


def _is_out(victim: Caller, call: str, mallory: Mallory) -> bool:
    return not _participant(victim, call, mallory)


def _two_fingerprints(sdp: str) -> str:
    lines = sdp.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("a=fingerprint"))
    lines.insert(at, f"a=fingerprint:sha-256 {OTHERS}")
    return "\r\n".join(lines) + "\r\n"


def _without_fingerprint(sdp: str) -> str:
    lines = [line for line in sdp.splitlines() if not line.startswith("a=fingerprint")]
    return "\r\n".join(lines) + "\r\n"


def _others_fingerprint(sdp: str) -> str:
    lines = [
        f"a=fingerprint:sha-256 {OTHERS}" if line.startswith("a=fingerprint") else line
        for line in sdp.splitlines()
    ]
    return "\r\n".join(lines) + "\r\n"


def _many_candidates(count: int) -> Callable[[str], str]:
    line = "a=candidate:1 1 udp 2130706431 10.9.{}.{} 4000 typ host\r\n"
    return lambda sdp: sdp + "".join(line.format(n // 200 % 200, n % 200) for n in range(count))


def _garbage(_sdp: str) -> str:
    chance = random.Random(3)
    return "v=0\r\n" + "".join(chr(chance.randrange(32, 127)) for _ in range(5000))


async def test_a_wrong_description_removes_its_sender_and_nobody_else(tmp_path: Path) -> None:
    async with _attack(tmp_path) as (ann, ben, mallory, general):
        for spoil in (_two_fingerprints, _without_fingerprint, _garbage, _many_candidates(300)):
            call = await asyncio.to_thread(_start, ann, ben, general)
            media = ann.media_pid(), ben.media_pid()
            for victim in (ann, ben):
                await mallory.describe(victim, call, spoil)
                out = partial(_is_out, victim, call, mallory)
                await asyncio.to_thread(until, out, f"Mallory is out at {victim.node.name}")
                await mallory.say(victim, call)  # once more: he stays out
            await asyncio.to_thread(talk, call, ann, ben, watch=False)
            for victim in (ann, ben):
                assert not _participant(victim, call, mallory)
            assert media == (ann.media_pid(), ben.media_pid())
            ann.act(call, "end")
            await asyncio.to_thread(wait_state, ben, call, "ended")


async def test_a_description_too_large_for_any_call_ends_the_link(tmp_path: Path) -> None:
    async with _attack(tmp_path) as (ann, ben, mallory, general):
        call = await asyncio.to_thread(_start, ann, ben, general)
        link = await mallory.link(ann)  # before: afterwards it is gone, and this would be a new one
        await mallory.describe(ann, call, _many_candidates(4000))
        assert await link.ended() == "bad_frame"
        await asyncio.to_thread(talk, call, ann, ben, watch=False)
        assert ann.present(call) >= {"ann", "ben"}


async def test_with_the_fingerprint_of_another_nothing_connects(tmp_path: Path) -> None:
    async with _attack(tmp_path) as (ann, ben, mallory, general):
        call = await asyncio.to_thread(_start, ann, ben, general)
        await mallory.describe(ann, call, _others_fingerprint)
        seen = set()
        end = time.monotonic() + 6
        while time.monotonic() < end:
            seen.add(await asyncio.to_thread(_participant, ann, call, mallory))
            await asyncio.sleep(0.1)
        assert "connected" not in seen
        assert mallory.heard == 0, "not a word goes to whoever cannot prove the fingerprint"
        await asyncio.to_thread(talk, call, ann, ben, watch=False)


async def test_garbage_and_floods_of_packets_remove_their_sender_only(tmp_path: Path) -> None:
    async with _attack(tmp_path) as (ann, ben, mallory, general):
        call = await asyncio.to_thread(_start, ann, ben, general)
        media = ann.media_pid(), ben.media_pid()
        mine = await mallory.describe(ann, call, lambda sdp: sdp)
        await asyncio.to_thread(
            until,
            lambda: _participant(ann, call, mallory) == "connected",
            "Mallory is connected",
        )
        transport = transport_of(mine)
        await asyncio.to_thread(until, lambda: transport.state == "connected", "his side too")
        chance = random.Random(5)
        for number in range(400):
            await transport._send_rtp(_packet(7, 96 + number % 3, number, chance.randbytes(90)))
        await asyncio.to_thread(talk, call, ann, ben, watch=False)
        assert _participant(ann, call, mallory) == "connected", "garbage alone is only dropped"
        assert mallory.heard > 0
        for source in range(1000):
            with contextlib.suppress(ConnectionError):
                await transport._send_rtp(_packet(source, 96, source, b"x" * 40))
        await asyncio.to_thread(until, partial(_is_out, ann, call, mallory), "Mallory is out")
        await asyncio.to_thread(talk, call, ann, ben, watch=False)
        assert media == (ann.media_pid(), ben.media_pid())
        assert ann.present(call) >= {"ann", "ben"}


def _packet(source: int, kind: int, number: int, body: bytes) -> bytes:
    return struct.pack("!BBHLL", 0x80, kind, number & 0xFFFF, number * 960, source) + body
