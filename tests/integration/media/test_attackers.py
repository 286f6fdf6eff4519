"""A peer with valid keys that sends what nobody sends: it is removed, the process goes on."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)

from folkmoot.media.descriptions import as_sent
from folkmoot.media.launcher import MediaProcess, ProcessLauncher
from folkmoot.media.private import transport_of
from folkmoot.services.media_port import (
    VERSION,
    AnyReport,
    AudioPlan,
    Begin,
    Connect,
    Describe,
    Described,
    PathChanged,
    PeerBroken,
    SetAudio,
    SetVideo,
    StatsTaken,
    VideoPlan,
)

_PEER = b"m" * 32


class _Victim:
    """One media process that offers, and what it told."""

    def __init__(self) -> None:
        self.reports: list[AnyReport] = []
        self.ends: list[str] = []
        self.media: MediaProcess | None = None
        self._changed = asyncio.Event()

    def take(self, report: AnyReport) -> None:
        self.reports.append(report)
        self._changed.set()

    async def wait_for(self, told: Callable[[AnyReport], bool]) -> AnyReport:
        seen = 0
        async with asyncio.timeout(30):
            while True:
                for report in self.reports[seen:]:
                    seen += 1
                    if told(report):
                        return report
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def _attack() -> AsyncIterator[tuple[_Victim, RTCPeerConnection]]:
    """A connection between a media process and a library that says what it is told to say."""
    victim = _Victim()
    victim.media = await ProcessLauncher(False).launch(
        Begin(VERSION, devices=False), victim.take, victim.ends.append
    )
    attacker = RTCPeerConnection(
        RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
    )
    try:
        victim.media.send(SetAudio(AudioPlan(source="test", open=True)))
        victim.media.send(SetVideo(VideoPlan(source="test", open=True, profile="saver")))
        victim.media.send(Connect(_PEER, 1, offers=True))
        offer = await victim.wait_for(lambda r: isinstance(r, Described))
        assert isinstance(offer, Described)
        await attacker.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        for transceiver in attacker.getTransceivers():
            transceiver.direction = "sendrecv"  # else nothing of it is looked at
        await attacker.setLocalDescription(await attacker.createAnswer())
        answer = as_sent(attacker.localDescription.sdp)
        victim.media.send(Describe(_PEER, 1, "answer", answer))
        await victim.wait_for(lambda r: r == PathChanged(_PEER, 1, "connected"))
        connected = asyncio.Event()
        transport = transport_of(attacker)
        transport.on("statechange", lambda: connected.set())
        while transport.state != "connected":
            connected.clear()
            await connected.wait()
        yield victim, attacker
    finally:
        await attacker.close()
        await victim.media.aclose()


def _rtp(source: int, payload_type: int, number: int = 1, body: bytes = b"x" * 40) -> bytes:
    return struct.pack("!BBHLL", 0x80, payload_type, number & 0xFFFF, number * 960, source) + body


async def test_a_thousand_sources_remove_the_peer() -> None:
    async with _attack() as (victim, attacker):
        for source in range(1000):
            await transport_of(attacker)._send_rtp(_rtp(source, 96))
        broken = await victim.wait_for(lambda r: isinstance(r, PeerBroken))
        assert isinstance(broken, PeerBroken)
        assert (broken.peer, broken.code) == (_PEER, "flood")
        assert victim.ends == []
        again = [report for report in victim.reports if isinstance(report, PeerBroken)]
        assert len(again) == 1


def _wrong_packets(chance: random.Random, picture: int) -> list[bytes]:
    """RTP and RTCP that is cut short, too long, or lies about its own length.

    `picture` is the source of a picture that was described.
    """
    extension = struct.pack("!HH", 0xBEDE, 1)
    packets = [
        # An extension for the send time (id 3) with one byte instead of three.
        b"\x90" + _rtp(picture, 97)[1:12] + extension + bytes([0x30, 1, 0, 0]) + b"x",
        # The name of the medium (id 1) that is no text.
        b"\x90" + _rtp(picture, 97)[1:12] + extension + bytes([0x10, 0xFF, 0, 0]) + b"x",
        # Padding that is longer than the packet.
        b"\xa0" + _rtp(picture, 97, 1, b"\xff" * 40)[1:],
        *[_rtp(picture, 97, n, chance.randbytes(chance.randrange(0, 60))) for n in range(40)],
        *[_rtp(8, 96, n, chance.randbytes(chance.randrange(0, 60))) for n in range(40)],
    ]
    for kind in range(200, 208):
        body = chance.randbytes(4 * chance.randrange(1, 12))
        count = chance.randrange(32)
        packets.append(struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body)
    return packets


@pytest.mark.parametrize("stream", [1, 2], ids=["camera", "screen"])
@pytest.mark.parametrize("seed", range(3))
async def test_garbage_inside_valid_packets_ends_nothing(seed: int, stream: int) -> None:
    async with _attack() as (victim, attacker):
        for packet in _wrong_packets(random.Random(seed), _source(attacker, stream)):
            await transport_of(attacker)._send_rtp(packet)
        before = len([r for r in victim.reports if isinstance(r, StatsTaken)])
        await victim.wait_for(
            lambda _: len([r for r in victim.reports if isinstance(r, StatsTaken)]) >= before + 2
        )
        assert PathChanged(_PEER, 1, "closed") not in victim.reports
        assert victim.ends == []


def _source(attacker: RTCPeerConnection, stream: int) -> int:
    """The source that the attacker described for its sound, its camera or its screen."""
    return attacker.getTransceivers()[stream].sender._ssrc


async def test_a_thousand_sources_of_a_screen_remove_the_peer() -> None:
    async with _attack() as (victim, attacker):
        name = str(attacker.getTransceivers()[2].mid).encode()
        mid = struct.pack("!HHB", 0xBEDE, 1, 0x10 | len(name) - 1) + name
        extension = mid + bytes(8 - len(mid))
        for source in range(1000):
            packet = b"\x90" + _rtp(source, 97)[1:12] + extension + b"x" * 40
            await transport_of(attacker)._send_rtp(packet)
        broken = await victim.wait_for(lambda r: isinstance(r, PeerBroken))
        assert isinstance(broken, PeerBroken)
        assert broken.code == "flood"
        assert victim.ends == []


async def test_a_screen_that_is_a_giant_removes_the_peer() -> None:
    async with _attack() as (victim, attacker):
        head = b"\x10\x02\x00\x9d\x01\x2a" + struct.pack("<HH", 16_383, 16_383)
        packet = _rtp(_source(attacker, 2), 97, 1, b"\x10" + head + bytes(60))
        await transport_of(attacker)._send_rtp(b"\x80" + bytes([0x80 | 97]) + packet[2:])
        broken = await victim.wait_for(lambda r: isinstance(r, PeerBroken))
        assert isinstance(broken, PeerBroken)
        assert broken.code == "giant_picture"


async def test_a_second_answer_is_dropped() -> None:
    async with _attack() as (victim, attacker):
        assert victim.media is not None
        victim.media.send(Describe(_PEER, 1, "answer", "nonsense"))
        victim.media.send(Describe(_PEER, 99, "answer", "nonsense"))
        await victim.wait_for(lambda r: isinstance(r, StatsTaken))
        assert not [r for r in victim.reports if isinstance(r, PeerBroken)]
        assert attacker.connectionState == "connected"
