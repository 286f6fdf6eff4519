"""A receiver of aiortc without a connection: packets are handed to it, its feedback is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from aiortc import RTCRtpReceiver
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import (
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtpPacket,
)

OPUS, VP8, RTX, H264, PCMU = 96, 97, 98, 99, 0
SOURCE, RTX_SOURCE = 1_234, 1_235


@dataclass
class Told:
    """What a stream told of its peer, and what it delivered."""

    broken: list[str] = field(default_factory=list)
    pictures: list[tuple[int, int, int]] = field(default_factory=list)
    """Timestamp, width, height."""
    changed: Callable[[], None] = lambda: None

    def break_peer(self, code: str, _words: str) -> None:
        self.broken.append(code)
        self.changed()

    def deliver(self, frame: Any, timestamp: int) -> None:
        self.pictures.append((timestamp, frame.width, frame.height))
        self.changed()


class FakeReceiver:
    """`receiver` is what a stream is made of."""

    def __init__(self, kind: str) -> None:
        self.sent: list[Any] = []
        router = SimpleNamespace(ssrc_table={})
        transport: Any = SimpleNamespace(state="new", _rtp_router=router, _send_rtp=self._send)
        receiver: Any = RTCRtpReceiver(kind, transport)
        self.receiver = receiver
        self._asked = asyncio.Event()
        self.receiver._RTCRtpReceiver__rtcp_ssrc = 1
        codecs = self.receiver._RTCRtpReceiver__codecs
        kinds: tuple[tuple[int, str, int, dict[str, int | str | None]], ...] = (
            (OPUS, "audio/opus", 48_000, {}),
            (PCMU, "audio/PCMU", 8_000, {}),
            (VP8, "video/VP8", 90_000, {}),
            (RTX, "video/rtx", 90_000, {"apt": VP8}),
            (H264, "video/H264", 90_000, {}),
        )
        for number, name, rate, more in kinds:
            if name.startswith(kind):
                codecs[number] = RTCRtpCodecParameters(
                    mimeType=name, clockRate=rate, payloadType=number, parameters=more
                )
        self.receiver._RTCRtpReceiver__rtx_ssrc[RTX_SOURCE] = SOURCE

    async def hand(self, packet: RtpPacket) -> None:
        """A packet came."""
        await self.receiver._handle_rtp_packet(packet, arrival_time_ms=0)

    async def rtp(
        self,
        kind: int,
        sequence: int,
        timestamp: int,
        payload: bytes,
        *,
        marker: bool = True,
        source: int = SOURCE,
    ) -> None:
        """A packet with these came."""
        await self.hand(
            RtpPacket(
                payload_type=kind,
                marker=int(marker),
                sequence_number=sequence & 0xFFFF,
                timestamp=timestamp & 0xFFFFFFFF,
                ssrc=source,
                payload=payload,
            )
        )

    async def feedback(self) -> list[Any]:
        """What was sent so far, with what is about to be."""
        for _ in range(3):
            await asyncio.sleep(0)
        return self.sent

    async def plis(self) -> int:
        """Requests for a key frame so far."""
        return sum(
            1
            for each in await self.feedback()
            if isinstance(each, RtcpPsfbPacket) and each.fmt == RTCP_PSFB_PLI
        )

    async def nacks(self) -> list[int]:
        """Packets that were asked for so far."""
        return [
            lost
            for each in await self.feedback()
            if isinstance(each, RtcpRtpfbPacket) and each.fmt == RTCP_RTPFB_NACK
            for lost in each.lost
        ]

    async def until_asked_for(self, sequence: int) -> None:
        """Wait for the request for a lost packet."""
        async with asyncio.timeout(20):
            while sequence not in await self.nacks():
                self._asked.clear()
                await self._asked.wait()

    async def _send(self, data: bytes) -> None:
        self.sent += RtcpPacket.parse(data)
        self._asked.set()
