"""The only place that reaches into private parts of aiortc and aioice.

`check` looks at start whether every part is there and has the expected shape, so that another
version fails loudly and not in the middle of a call. Refuses any other version than the one it was
written against.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

import aioice.ice
import aiortc
import aiortc.rtcrtpsender
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpSender, RTCRtpTransceiver
from aiortc.rtcdtlstransport import RTCDtlsTransport, RtpRouter
from aiortc.rtcicetransport import RTCIceGatherer, RTCIceTransport
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RtcpPsfbPacket,
    RtcpSrPacket,
    RtpPacket,
    is_rtcp,
    unpack_remb_fci,
)

VERSION = "1.16.0"
RETRANSMIT_HISTORY = 1024
"""Packets of a stream that can be asked for again: a large key frame and the second around it."""
RECEIVE_BYTES = 4 * 1024 * 1024
_RTX_SOURCES = "_RTCRtpReceiver__rtx_ssrc"
_ENCODER = "_RTCRtpSender__encoder"
_RTX = "_RTCRtpSender__rtx_payload_type"
_REPORTED = "_RTCRtpSender__lsr"
_SHAPES: tuple[tuple[object, str, tuple[str, ...]], ...] = (
    (RTCRtpSender, "_send_keyframe", ("self",)),
    (RTCRtpSender, "_retransmit", ("self", "sequence_number")),
    (RTCRtpSender, "_next_encoded_frame", ("self", "codec")),
    (RTCRtpSender, "_run_rtp", ("self", "codec")),
    (RTCRtpSender, "send", ("self", "parameters")),
    (RTCRtpSender, "_send_rtcp", ("self", "packets")),
    (RTCDtlsTransport, "_handle_rtp_data", ("self", "data", "arrival_time_ms")),
    (RTCDtlsTransport, "_handle_rtcp_data", ("self", "data")),
    (RTCDtlsTransport, "_recv_next", ("self",)),
    (RTCDtlsTransport, "_send_rtp", ("self", "data")),
    (RtpRouter, "route_rtp", ("self", "packet")),
    (RTCRtpSender, "_handle_rtcp_packet", ("self", "packet")),
    (aioice.ice, "get_host_addresses", ("use_ipv4", "use_ipv6")),
    (
        aioice.ice.Connection,
        "get_component_candidates",
        ("self", "component", "addresses", "timeout"),
    ),
    (aioice.ice.Connection, "check_start", ("self", "pair")),
    (aioice.ice, "server_reflexive_candidate", ("protocol", "stun_server")),
    (
        aioice.ice,
        "relayed_candidate",
        (
            *("component", "hide_related_address", "protocol_factory", "turn_server"),
            *("turn_username", "turn_password", "turn_ssl", "turn_transport"),
        ),
    ),
)
_NAMES: tuple[tuple[Any, str], ...] = (
    (RTCRtpSender.__init__, _ENCODER),
    (RTCRtpReceiver.__init__, _RTX_SOURCES),
    (RtpRouter.__init__, "mid_table"),
    (RtpRouter.__init__, "ssrc_table"),
    (RtpRouter.__init__, "payload_type_table"),
    (RTCRtpSender._next_encoded_frame, "pack"),
    (RTCRtpSender._run_rtp, "_next_encoded_frame"),
    (RTCRtpSender._run_rtp, "audio_level"),
    (RTCRtpSender._handle_rtcp_packet, "target_bitrate"),
    (RTCRtpSender._handle_rtcp_packet, _REPORTED),
    (RTCRtpSender._run_rtcp, _REPORTED),
    (RTCRtpSender._run_rtcp, "_send_rtcp"),
    (RTCRtpSender._retransmit, "RTP_HISTORY_SIZE"),
    (RTCRtpSender._retransmit, _RTX),
    (RTCRtpSender._run_rtp, "payloadType"),
    (RTCRtpSender.send, "_run_rtp"),
    (RTCRtpTransceiver.__init__, "_codecs"),
    (RTCIceTransport.__init__, "_recv"),
    (RTCIceTransport.__init__, "_connection"),
    (RTCDtlsTransport._recv_next, "_handle_rtp_data"),
    (RTCDtlsTransport._recv_next, "_handle_rtcp_data"),
    (RTCDtlsTransport._recv_next, "_recv"),
    (aioice.ice.Connection.__init__, "_nominated"),
    (aioice.ice.Connection.check_start_task, "check_start"),
    (aioice.ice.Connection.__init__, "_protocols"),
    (aioice.ice.Connection.gather_candidates, "get_host_addresses"),
    (RTCIceGatherer.__init__, "_connection"),
)


class Packer(Protocol):
    """What stands in the place of aiortc's encoder: it takes what is encoded already."""

    def pack(self, packet: Any) -> tuple[list[bytes], int]:
        """Payloads of the packets, and the timestamp in the clock of the medium."""
        ...


def check() -> None:
    """Raise `RuntimeError` unless the libraries are those this module was written against."""
    if aiortc.__version__ != VERSION:
        raise RuntimeError(f"aiortc {aiortc.__version__} is here, {VERSION} is needed")
    for owner, name, parameters in _SHAPES:
        found = getattr(owner, name, None)
        if found is None or tuple(inspect.signature(found).parameters) != parameters:
            raise RuntimeError(f"aiortc or aioice has no {name} with {parameters}")
    for function, name in _NAMES:
        code = function.__code__
        if name not in (*code.co_names, *code.co_varnames):
            raise RuntimeError(f"{function.__qualname__} of aiortc or aioice knows no {name}")


def prepare() -> None:
    """Do what is done once in a process: check, keep more for retransmission, offer loopback."""
    check()
    vars(aiortc.rtcrtpsender)["RTP_HISTORY_SIZE"] = RETRANSMIT_HISTORY
    original = getattr(aioice.ice, "_folkmoot_original", aioice.ice.get_host_addresses)
    aioice.ice._folkmoot_original = original  # type: ignore[attr-defined]

    def with_loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        # A computer without a network still calls itself: a demo, a test, two profiles.
        found: list[str] = original(use_ipv4, use_ipv6)
        return found or (["127.0.0.1"] if use_ipv4 else ["::1"])

    aioice.ice.get_host_addresses = with_loopback


def set_packer(sender: RTCRtpSender, packer: Packer) -> None:
    """Make `sender` send what its track yields as it is. `packer` may have `target_bitrate`."""
    setattr(sender, _ENCODER, packer)


class Formats:
    """The codecs that both sides agreed to, and which of them is sent now.

    aiortc sends the first one all the time.
    """

    def __init__(self, transceiver: RTCRtpTransceiver) -> None:
        self._transceiver = transceiver
        self._payloads: dict[str, int] = {}
        self._again: dict[int, int] = {}
        sender = self._sender = transceiver.sender
        self._now: Any = None
        self._send, self._run = sender.send, sender._run_rtp
        sender.send = self._note  # type: ignore[method-assign]
        sender._run_rtp = self._run_copy  # type: ignore[method-assign]

    def agreed(self) -> frozenset[str]:
        """Their names, once descriptions were exchanged."""
        return frozenset(codec.name for codec in self._transceiver._codecs)

    def use(self, name: str) -> None:
        """Send this codec from the next packet on; one that was not agreed to changes nothing."""
        payload = self._payloads.get(name)
        if payload is not None and self._now is not None and self._now.payloadType != payload:
            self._now.payloadType = payload
            setattr(self._sender, _RTX, self._again.get(payload))

    async def _note(self, parameters: Any) -> None:
        for codec in parameters.codecs:
            if codec.name.lower() == "rtx":
                self._again.setdefault(codec.parameters["apt"], codec.payloadType)
            else:
                self._payloads.setdefault(codec.name, codec.payloadType)
        await self._send(parameters)

    async def _run_copy(self, codec: Any) -> None:
        self._now = copy.copy(codec)
        await self._run(self._now)


def on_key_frame_wanted(sender: RTCRtpSender, wanted: Callable[[], None]) -> None:
    """Call `wanted` when the receiver asks for a whole picture (PLI, FIR)."""
    sender._send_keyframe = wanted  # type: ignore[method-assign]


def on_estimate(sender: RTCRtpSender, estimated: Callable[[int, list[int]], None]) -> None:
    """Call `estimated(bits a second, sources it is about)` when a receiver says what it can take
    (REMB); `target_bitrate` of the packer is no longer set."""
    original = sender._handle_rtcp_packet

    async def handle(packet: Any) -> None:
        if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            try:
                rate, sources = unpack_remb_fci(packet.fci)
            except ValueError:
                return
            if sender._ssrc in sources:
                estimated(rate, sources)
            return
        await original(packet)

    sender._handle_rtcp_packet = handle  # type: ignore[method-assign]


def limit_retransmits(sender: RTCRtpSender, allowed: Callable[[], bool]) -> None:
    """Send a packet again only when `allowed`: one small request can ask for thousands."""
    original = sender._retransmit

    async def retransmit(sequence_number: int) -> None:
        if allowed():
            await original(sequence_number)

    sender._retransmit = retransmit  # type: ignore[method-assign]


def report_capture(
    sender: RTCRtpSender, lag_s: Callable[[], float], idle: Callable[[], bool] = lambda: False
) -> None:
    """Make sender reports name the moment of capture instead of that of sending.

    `lag_s`: how old was what was sent last. Sound and pictures take differently long to encode; who
    plays them together has to know when they were taken (RFC 3550 section 6.4.1). `idle`: whether
    there is nothing to report, for now.
    """
    original = sender._send_rtcp

    async def send(packets: list[Any]) -> None:
        if isinstance(packets[0], RtcpSrPacket) and (
            packets[0].sender_info.packet_count == 0 or idle()
        ):
            return  # a stream that is not used costs nothing
        for packet in packets:
            if isinstance(packet, RtcpSrPacket) and packet.sender_info.ntp_timestamp:
                info = packet.sender_info
                info.ntp_timestamp -= int(lag_s() * (1 << 32))
                # What the answer is known by, which tells the round trip.
                setattr(sender, _REPORTED, (info.ntp_timestamp >> 16) & 0xFFFFFFFF)
        await original(packets)

    sender._send_rtcp = send  # type: ignore[method-assign]


def route(transport: RTCDtlsTransport) -> None:
    """Tell two streams of pictures apart (RFC 9143 section 9.2): by the mid of a packet, or by the
    source that a description said it is repeated from. aiortc knows neither."""
    router = transport._rtp_router
    original = router.route_rtp

    def route_rtp(packet: RtpPacket) -> Any:
        found = original(packet)
        if found is not None or packet.ssrc in router.ssrc_table:
            return found
        fitting: set[Any] = router.payload_type_table.get(packet.payload_type, set())
        found = router.mid_table.get(packet.extensions.mid or "")
        if found not in fitting:
            found = next((r for r in fitting if packet.ssrc in getattr(r, _RTX_SOURCES)), None)
        if found is not None:
            router.ssrc_table[packet.ssrc] = found
        return found

    router.route_rtp = route_rtp  # type: ignore[method-assign]


def gather_more(
    transport: RTCDtlsTransport, more: Callable[[aioice.ice.Connection], Awaitable[list[Any]]]
) -> None:
    """Have `more` find candidates besides the addresses of this computer."""
    connection = transport.transport.iceGatherer._connection
    original = connection.get_component_candidates

    async def get(component: int, addresses: list[str], timeout: int = 5) -> list[Any]:
        own = await original(component=component, addresses=addresses)
        return [*own, *await more(connection)]

    connection.get_component_candidates = get  # type: ignore[method-assign]


def prefer_direct(transport: RTCDtlsTransport, relay_later_s: float) -> None:
    """Where we choose the pair, check those with a relay only so long after the first.

    aioice takes the first pair that is answered and gives up all others. A relay often answers at
    once, while the first check between two routers is lost: the other side has not sent yet, and
    what it sends then has aioice wait for its own next attempt.
    """
    connection = transport.transport.iceGatherer._connection
    original, first = connection.check_start, list[float]()

    async def check_start(pair: Any) -> None:
        now = asyncio.get_running_loop().time()
        first[:] = first or [now]
        kinds = (pair.local_candidate.type, pair.remote_candidate.type)
        if connection.ice_controlling and "relay" in kinds:
            await asyncio.sleep(first[0] + relay_later_s - now)
        await original(pair)

    connection.check_start = check_start  # type: ignore[method-assign]


def pace(transport: RTCDtlsTransport, source: int, wait: Callable[[int], Awaitable[None]]) -> None:
    """Have each packet of `source` wait for `wait(its size)` before it is sent."""
    original, mark = transport._send_rtp, source.to_bytes(4, "big")

    async def send(data: bytes) -> None:
        if data[8:12] == mark and not is_rtcp(data):
            await wait(len(data))
        await original(data)

    transport._send_rtp = send  # type: ignore[method-assign]


def tell_level(sender: RTCRtpSender, level: Callable[[], int | None]) -> None:
    """Write into each packet how loud it is (RFC 6464): so many dB below full scale, None: not."""
    original = sender._next_encoded_frame

    async def next_frame(codec: Any) -> Any:
        frame = await original(codec)
        if frame is not None and (said := level()) is not None:
            frame.audio_level = -said
        return frame

    sender._next_encoded_frame = next_frame  # type: ignore[method-assign]


def guard(
    transport: RTCDtlsTransport,
    *,
    datagram: Callable[[bytes], bool],
    rtp: Callable[[bytes], bool],
    failed: Callable[[Exception], None],
) -> None:
    """Let in only what `datagram` (as it came) and `rtp` (decrypted) allow.

    What a library raises over a wrong packet goes to `failed` instead of ending the connection.
    """
    ice = transport.transport
    receive: Callable[[], Awaitable[bytes]] = ice._recv

    async def next_datagram() -> bytes:
        while not (data := await receive()) or not datagram(data):
            pass
        return data

    ice._recv = next_datagram
    handle_rtp, handle_rtcp = transport._handle_rtp_data, transport._handle_rtcp_data

    async def guarded_rtp(data: bytes, arrival_time_ms: int) -> None:
        try:
            if rtp(data):
                await handle_rtp(data, arrival_time_ms=arrival_time_ms)
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a peer's packet brings about
            failed(error)

    async def guarded_rtcp(data: bytes) -> None:
        try:
            await handle_rtcp(data)
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a peer's packet brings about
            failed(error)

    transport._handle_rtp_data = guarded_rtp  # type: ignore[method-assign]
    transport._handle_rtcp_data = guarded_rtcp  # type: ignore[method-assign]


def transport_of(connection: RTCPeerConnection) -> RTCDtlsTransport:
    """The one transport that sound and pictures share."""
    return connection.getTransceivers()[0].receiver.transport


def widen(connection: RTCPeerConnection) -> None:
    """Let sockets hold a whole picture of a screen, as far as this system allows: on a computer
    that is busy for a moment the usual hundred packets are soon too few."""
    for protocol in transport_of(connection).transport._connection._protocols:
        found = getattr(protocol, "transport", None)
        made = None if found is None else found.get_extra_info("socket")
        if made is not None:
            with suppress(OSError):
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)


def way_of(connection: RTCPeerConnection) -> str:
    """The kind of the candidates in use, as ``host`` or ``relay``; empty while there are none."""
    nominated = transport_of(connection).transport._connection._nominated
    for pair in nominated.values():
        kinds = (pair.local_candidate.type, pair.remote_candidate.type)
        return next((kind for kind in ("relay", "srflx", "prflx") if kind in kinds), "host")
    return ""
