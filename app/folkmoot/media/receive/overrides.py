"""The one place of the receive path that touches private names of aiortc 1.16.

Owns taking packets away from aiortc's jitter buffer and decoder thread while its RTCP reports, its
bandwidth estimate and its retransmission streams go on. Refuses any aiortc whose private names are
not as expected (`AiortcChanged`), and more than `MOST_SOURCES` sources for one receiver.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from aiortc import RTCRtpReceiver, rtcrtpreceiver
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RtcpPsfbPacket,
    RtcpSrPacket,
    RtpPacket,
    pack_remb_fci,
    unwrap_rtx,
)

MOST_SOURCES = 8
_MOST_JITTER = (1 << 31) << 4

_METHODS = (
    "_handle_rtp_packet",
    "_handle_rtcp_packet",
    "_handle_disconnect",
    "_run_rtcp",
    "_send_rtcp",
    "_send_rtcp_nack",
    "_send_rtcp_pli",
)
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "codecs": dict,
    "decoder_queue": object,
    "decoder_thread": (threading.Thread, type(None)),
    "jitter_buffer": object,
    "kind": str,
    "remote_streams": dict,
    "rtx_ssrc": dict,
    "rtcp_ssrc": (int, type(None)),
    "remote_bitrate_estimator": object,
}


class AiortcChanged(Exception):
    """This aiortc is not the one that the receive path was written for."""


def check(receiver: RTCRtpReceiver | None = None) -> None:
    """Raise `AiortcChanged` unless every private name used here is there."""
    for name in _METHODS:
        if not callable(getattr(RTCRtpReceiver, name, None)):
            raise AiortcChanged(f"RTCRtpReceiver.{name} is missing")
    for name in ("packets_received", "packets_lost", "fraction_lost", "jitter"):
        if not hasattr(rtcrtpreceiver.StreamStatistics, name) and name != "packets_received":
            raise AiortcChanged(f"StreamStatistics.{name} is missing")
    if not hasattr(rtcrtpreceiver.StreamStatistics(1), "_jitter_q4"):
        raise AiortcChanged("StreamStatistics._jitter_q4 is missing")
    if receiver is None:
        return
    for name, kind in _FIELDS.items():
        private = _private(name)
        if not hasattr(receiver, private):
            raise AiortcChanged(f"RTCRtpReceiver.{private} is missing")
        if not isinstance(getattr(receiver, private), kind):
            raise AiortcChanged(f"RTCRtpReceiver.{private} is of another kind")
    router = getattr(receiver.transport, "_rtp_router", None)
    if not isinstance(getattr(router, "ssrc_table", None), dict):
        raise AiortcChanged("RTCDtlsTransport._rtp_router.ssrc_table is missing")


def _private(name: str) -> str:
    return f"_RTCRtpReceiver__{name}"


class Tap:
    """Takes the packets of one receiver. Methods are for the thread of its loop.

    `on_packet(codec, packet)` gets each RTP packet (retransmissions unwrapped), `on_report(ntp,
    timestamp)` each sender report, `on_crowd()` is told once of too many sources. `on_count(source,
    packets)` may be set: how many packets a sender says it has sent.
    """

    def __init__(
        self,
        receiver: RTCRtpReceiver,
        on_packet: Callable[[str, RtpPacket], None],
        on_report: Callable[[int, int], None],
        on_crowd: Callable[[], None],
    ) -> None:
        check(receiver)
        self._receiver: Any = receiver
        self._on_packet, self._on_report, self._on_crowd = on_packet, on_report, on_crowd
        self.on_count: Callable[[int, int], None] = lambda _source, _packets: None
        self._crowded = False

    def attach(self) -> None:
        """From here on aiortc's buffer and decoder see nothing, and its decoder thread ends."""
        self._stop_stock()
        self._receiver._handle_rtp_packet = self._rtp
        self._receiver._handle_rtcp_packet = self._rtcp

    def settle(self) -> None:
        """End the thread that was started when descriptions had been exchanged."""
        self._stop_stock()

    def share_estimate(self, other: Tap) -> None:
        """Estimate the bandwidth together with `other`: what comes on both shares one way."""
        estimator = other._get("remote_bitrate_estimator")
        setattr(self._receiver, _private("remote_bitrate_estimator"), estimator)

    def detach(self) -> None:
        """Packets are dropped from here on."""
        self._on_packet = lambda _codec, _packet: None
        self._on_report = lambda _ntp, _timestamp: None
        self._on_crowd = lambda: None
        self.on_count = lambda _source, _packets: None

    def _get(self, name: str) -> Any:
        return getattr(self._receiver, _private(name))

    def _stop_stock(self) -> None:
        # The thread is told to end, not joined: it ends after the frame that it decodes.
        if self._get("decoder_thread") is not None:
            self._get("decoder_queue").put(None)
            setattr(self._receiver, _private("decoder_thread"), None)

    async def _rtp(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        if self._get("decoder_thread") is not None:
            self._stop_stock()  # It is started with the receiver, perhaps after `attach`.
        codec = self._get("codecs").get(packet.payload_type)
        if codec is None or not self._known(packet.ssrc, codec.clockRate):
            return
        await self._estimate(packet, arrival_time_ms)
        name = codec.name
        if name.lower() == "rtx":
            source = self._get("rtx_ssrc").get(packet.ssrc)
            kind = codec.parameters.get("apt")
            codec = self._get("codecs").get(kind)
            if source is None or codec is None or len(packet.payload) < 2:
                return
            packet = unwrap_rtx(packet, payload_type=kind, ssrc=source)
            name = codec.name
        self._on_packet(name, packet)

    def _known(self, ssrc: int, rate: int) -> bool:
        streams = self._get("remote_streams")
        if ssrc in streams:
            return True
        if len(streams) >= MOST_SOURCES:
            # aiortc remembers every source it ever saw.
            self._receiver.transport._rtp_router.ssrc_table.pop(ssrc, None)
            if not self._crowded:
                self._crowded = True
                self._on_crowd()
            return False
        streams[ssrc] = rtcrtpreceiver.StreamStatistics(rate)
        return True

    async def _estimate(self, packet: RtpPacket, arrival_ms: int) -> None:
        stream = self._get("remote_streams")[packet.ssrc]
        stream.add(packet)
        # A report has 32 bits for it; random timestamps would end aiortc's RTCP task.
        stream._jitter_q4 = min(stream._jitter_q4, _MOST_JITTER)
        estimator, sent = self._get("remote_bitrate_estimator"), packet.extensions.abs_send_time
        if estimator is None or sent is None:
            return
        try:
            estimate = estimator.add(
                abs_send_time=sent,
                arrival_time_ms=arrival_ms,
                payload_size=len(packet.payload) + packet.padding_size,
                ssrc=packet.ssrc,
            )
        except (ArithmeticError, ValueError, AssertionError, LookupError):
            return
        own = self._get("rtcp_ssrc")
        if estimate is not None and own is not None:
            fci = pack_remb_fci(*estimate)
            await self._receiver._send_rtcp(
                RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=own, media_ssrc=0, fci=fci)
            )

    async def _rtcp(self, packet: Any) -> None:
        await RTCRtpReceiver._handle_rtcp_packet(self._receiver, packet)
        if isinstance(packet, RtcpSrPacket):
            info = packet.sender_info
            self._on_report(info.ntp_timestamp, info.rtp_timestamp)
            self.on_count(packet.ssrc, info.packet_count)

    def expected(self, source: int) -> int:
        """How many packets of a source were sent up to the newest that came."""
        stream = self._get("remote_streams").get(source)
        return 0 if stream is None or stream.max_seq is None else int(stream.packets_expected)

    def loss(self) -> float:
        """The share of packets that never came, since the start (0–1)."""
        lost = expected = 0
        for stream in self._get("remote_streams").values():
            if stream.max_seq is not None:
                lost += max(0, stream.packets_lost)
                expected += stream.packets_expected
        return min(1.0, lost / expected) if expected > 0 else 0.0

    async def nack(self, ssrc: int, lost: list[int]) -> None:
        await self._receiver._send_rtcp_nack(ssrc, lost)

    async def pli(self, ssrc: int) -> None:
        await self._receiver._send_rtcp_pli(ssrc)
