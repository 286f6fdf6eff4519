"""One connection to one peer: a description each way, then sound and pictures both ways.

One sound and two pictures (of the camera, of what is shared), fixed from the start, never
negotiated again: a stream that is not used costs nothing, and another way is another connection.
Runs on the loop. Refuses wrong descriptions and floods by telling its owner `broken`; nothing a
peer sends raises out of it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Protocol

import av
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.rtcrtpparameters import RTCRtpCodecCapability

from folkmoot.domain.errors import PeerError
from folkmoot.media import private
from folkmoot.media.descriptions import as_sent, check_description
from folkmoot.media.devices.ring import RATE
from folkmoot.media.devices.voice_out import PACKET
from folkmoot.media.flood import MAX_RETRANSMITS_S, Allowance, RtpGate
from folkmoot.media.gathering import Ways
from folkmoot.media.receive.audio import AudioStream
from folkmoot.media.receive.sync import LipSync, SenderClock
from folkmoot.media.receive.video import VideoStream
from folkmoot.media.screen.split import Split, Spread
from folkmoot.media.tracks import PictureTrack, SoundTrack
from folkmoot.services.media_port import CAMERA, SCREEN

CONNECT_S = 8.0
RELAY_LATER_S = 1.0
"""A direct way whose first check was lost is checked again after half of it."""
SILENT_S = 1.0
FIRST_MEDIA_S = 2.0
"""How long the peer may take to send its first packet once it is connected."""
CLOSE_S = 2.0
_SPOKE_S = 2.0
_CODECS = {"audio": ("audio/opus",), "video": ("video/VP8", "video/H264", "video/rtx")}
"""In the order in which they are offered. Whoever joins may send either."""


class Owner(Protocol):
    """Who is told what happens to a connection, on the loop unless it says otherwise."""

    def described(self, connection: PeerConnection, kind: str, sdp: str) -> None:
        """A description is to be handed to the peer."""

    def path_changed(self, connection: PeerConnection, state: str) -> None:
        """As `media_port.PathChanged`."""

    def broken(self, connection: PeerConnection, code: str, words: str) -> None:
        """The peer sent what nobody may send."""

    def picture(
        self, connection: PeerConnection, kind: str, frame: av.VideoFrame, capture_ns: int
    ) -> None:
        """A picture of the peer (`kind`: CAMERA or SCREEN), in the thread that decoded it."""


class PeerConnection:
    """One connection; `start` it, `take` what the peer describes, `tick` it, `close` it."""

    def __init__(
        self,
        number: int,
        *,
        offers: bool,
        ways: Ways,
        owner: Owner,
        picture_track: Callable[[PeerConnection], PictureTrack],
        screen_track: Callable[[PeerConnection], PictureTrack],
    ) -> None:
        self.number = number
        self.state = "new"
        self._offers = offers
        self._ways = ways
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._remote: asyncio.Future[str] = self._loop.create_future()
        self._connected = asyncio.Event()
        self._connected_at = 0.0
        self._media_at: float | None = None
        self._gate = RtpGate()
        self._again = Allowance(MAX_RETRANSMITS_S, MAX_RETRANSMITS_S)
        self._wrong_packets = 0
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self.sound_track = SoundTrack()
        self.picture_track = picture_track(self)
        self.screen_track = screen_track(self)
        self._formats: dict[PictureTrack, private.Formats] = {}
        self._split = Split()
        self.connection = self._make()
        sound, picture, screen = self.connection.getTransceivers()
        self.sound = AudioStream(sound.receiver, broken=self._stream_broken, loop=self._loop)
        self.pictures = self._stream(picture, CAMERA)
        self.screen = self._stream(screen, SCREEN)
        self.screen.share_estimate(self.pictures)
        self._lips = LipSync()
        self._sender_clock = SenderClock(self._lips)
        self.sound.on_report = lambda *report: self._lips.report("audio", *report)
        self.pictures.on_report = lambda *report: self._lips.report("video", *report)
        for stream in (self.sound, self.pictures, self.screen):
            stream.attach()

    @property
    def is_open(self) -> bool:
        """Whether media may go this way."""
        return self.state in ("connected", "flowing", "silent")

    def start(self) -> None:
        """Begin to connect."""
        self._task = self._loop.create_task(self._run())

    def take(self, kind: str, sdp: str) -> None:
        """Take what the peer described; a second one is dropped."""
        if self._closing or self._remote.done():
            return
        try:
            if kind != ("answer" if self._offers else "offer"):
                raise PeerError("bad_description", f"A description of kind “{kind}” was not due.")
            check_description(sdp)
        except PeerError as error:
            self._break(error.code, error.message)
        else:
            self._remote.set_result(sdp)

    def tick(self, now: float) -> None:
        """See whether media came or stopped; call it several times a second."""
        if self.is_open:
            self.pictures.settle()
            self.screen.settle()
        self._split.note(now, self.picture_track.sent_bytes, self.screen_track.sent_bytes)
        if self.state == "connected":
            if self._media_at is not None:
                self._change("flowing")
            elif now - self._connected_at > FIRST_MEDIA_S:
                self._change("silent")
        elif self.state == "flowing" and now - (self._media_at or now) > SILENT_S:
            self._change("silent")
        elif self.state == "silent" and now - (self._media_at or 0.0) < SILENT_S:
            self._change("flowing")

    def match_lips(self, now: float, playback_s: float) -> None:
        """Hold pictures so that they match the voice; call it several times a second.

        `playback_s`: how long it takes until what was mixed is heard.
        """
        heard, seen = self.sound.heard, self.pictures.latest
        if heard is None or seen is None:
            return
        self._sender_clock.voice(heard[0], heard[1] - self.sound.delay_s - PACKET / RATE)
        # Who has been silent for a while is waited for no longer.
        delay_s = self.sound.delay_s if now - heard[1] < _SPOKE_S else 0.0
        self.pictures.lip_s = self._lips.hold_s(
            heard[0], heard[1] + playback_s, seen[0] & 0xFFFFFFFF, seen[1], delay_s
        )

    async def close(self) -> None:
        """End it; tells ``closed`` unless it had failed."""
        if self._closing:
            return
        self._closing = True
        for stream in (self.sound, self.pictures, self.screen):
            stream.close()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self.connection.close()
        except Exception as error:  # noqa: BLE001 - a library that cannot end is no reason to stay
            _warn(f"A connection did not end well: {error!r}")
        if self.state != "failed":
            self._change("closed")

    def way(self) -> str:
        """The kind of the candidates in use; empty before."""
        return private.way_of(self.connection)

    def _make(self) -> RTCPeerConnection:
        configuration = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        connection = RTCPeerConnection(configuration)
        connection.on("connectionstatechange", self._note_state)
        for track in (self.sound_track, self.picture_track, self.screen_track):
            transceiver = connection.addTransceiver(track, direction="sendrecv")
            transceiver.setCodecPreferences(_codecs(track.kind))
            private.set_packer(transceiver.sender, track)
            private.limit_retransmits(transceiver.sender, self._may_send_again)
            private.report_capture(transceiver.sender, *_reported_of(track))
            if isinstance(track, PictureTrack):
                self._prepare_pictures(transceiver, track)
        transport = private.transport_of(connection)
        sound, _, screen = (each.sender for each in connection.getTransceivers())
        private.tell_level(sound, lambda: self.sound_track.level)
        private.route(transport)
        private.gather_more(transport, self._ways.gather)
        private.prefer_direct(transport, RELAY_LATER_S)
        spread = Spread(asyncio.sleep, self._loop.time, lambda: self.screen_track.pace_bps)
        private.pace(transport, screen._ssrc, spread.wait)
        private.limit_retransmits(screen, spread.may_again)
        private.guard(
            transport,
            datagram=self._admit_datagram,
            rtp=self._admit_rtp,
            failed=self._note_wrong_packet,
        )
        return connection

    def _prepare_pictures(self, transceiver: RTCRtpTransceiver, track: PictureTrack) -> None:
        formats = self._formats[track] = private.Formats(transceiver)
        track.use_codec = formats.use
        private.on_key_frame_wanted(transceiver.sender, track.key_wanted)
        private.on_estimate(transceiver.sender, partial(self._note_estimate, track))

    def _note_estimate(self, track: PictureTrack, rate_bps: int, sources: list[int]) -> None:
        """The peer said what it can take: of one stream, or of both together."""
        own = [each.sender._ssrc for each in self.connection.getTransceivers()[1:]]
        if set(own) <= set(sources):
            camera, screen = self._split.parts(rate_bps)
            rate_bps = int(camera if track is self.picture_track else screen)
        track.target_bitrate = rate_bps

    def _stream(self, transceiver: RTCRtpTransceiver, kind: str) -> VideoStream:
        return VideoStream(
            transceiver.receiver,
            deliver=partial(self._deliver, kind),
            broken=self._stream_broken,
            loop=self._loop,
            patient=kind == SCREEN,
        )

    async def _run(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                await (self._offer() if self._offers else self._answer())
                await self._connected.wait()
        except TimeoutError:
            self._fail()
        except ConnectionError as error:
            _warn(f"A connection cannot be made: {error!r}")
            self._fail()
        except Exception as error:  # noqa: BLE001 - whatever a description brings about
            _warn(f"A description could not be used: {error!r}")
            self._break("bad_description", "The description of a connection cannot be used.")

    async def _offer(self) -> None:
        connection = self.connection
        await connection.setLocalDescription(await connection.createOffer())
        self._owner.described(self, "offer", as_sent(connection.localDescription.sdp))
        await connection.setRemoteDescription(RTCSessionDescription(await self._remote, "answer"))

    async def _answer(self) -> None:
        connection = self.connection
        # What takes time when servers are asked is done while the offer is on its way.
        gathering = private.transport_of(connection).transport.iceGatherer.gather()
        _, sdp = await asyncio.gather(gathering, self._remote)
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        self._owner.described(self, "answer", as_sent(connection.localDescription.sdp))

    def _note_state(self) -> None:
        state = self.connection.connectionState
        if self._closing:
            return
        if state == "connected" and self.state == "new":
            self._connected_at = self._loop.time()
            self._connected.set()
            private.widen(self.connection)
            for track, formats in self._formats.items():
                track.takes = formats.agreed()
            self._change("connected")
        elif state in ("failed", "closed"):
            if self.state == "new":
                self._fail()
            elif self.is_open:
                self._change("closed")

    def _fail(self) -> None:
        if not self._closing and self.state == "new":
            self._change("failed")

    def _change(self, state: str) -> None:
        if state != self.state and self.state not in ("closed", "failed"):
            self.state = state
            self._owner.path_changed(self, state)

    def _break(self, code: str, words: str) -> None:
        if not self._closing:
            self._owner.broken(self, code, words)

    def _stream_broken(self, code: str, words: str) -> None:
        if code == "feedback":
            _warn(f"A peer cannot be asked for what is lost: {words}")
            return
        code = "flood" if code == "many_sources" else code
        with suppress(RuntimeError):  # the loop is gone, and the peer with it
            self._loop.call_soon_threadsafe(self._break, code, words)

    def _deliver(self, kind: str, frame: av.VideoFrame, timestamp: int) -> None:
        if self._closing:
            return
        if kind == CAMERA:
            came_s = time.monotonic() - self.pictures.hold_s
            taken_s = self._sender_clock.picture_s(timestamp & 0xFFFFFFFF, came_s)
        else:
            taken_s = time.monotonic() - self.screen.hold_s
        self._owner.picture(self, kind, frame, int(taken_s * 1e9))

    def _may_send_again(self) -> bool:
        return self._again.take(1, self._loop.time())

    def _admit_datagram(self, data: bytes) -> bool:
        if self._closing:
            return False
        try:
            self._gate.check_datagram(len(data), self._loop.time())
        except PeerError as error:
            self._break(error.code, error.message)
            return False
        return True

    def _admit_rtp(self, data: bytes) -> bool:
        try:
            admitted = self._gate.check_rtp(data)
        except PeerError as error:
            self._break(error.code, error.message)
            return False
        if admitted:
            self._media_at = self._loop.time()
        return admitted and not self._closing

    def _note_wrong_packet(self, error: Exception) -> None:
        self._wrong_packets += 1
        if self._wrong_packets <= 3:
            _warn(f"A wrong packet was dropped: {error!r}")


def _codecs(kind: str) -> list[RTCRtpCodecCapability]:
    wanted = _CODECS[kind]
    codecs = RTCRtpSender.getCapabilities(kind).codecs
    kept = [codec for codec in codecs if codec.mimeType in wanted]
    return sorted(kept, key=lambda codec: wanted.index(codec.mimeType))


def _reported_of(
    track: SoundTrack | PictureTrack,
) -> tuple[Callable[[], float], Callable[[], bool]]:
    """How old what was sent last was, and whether there is nothing to report."""
    return lambda: track.lag_s, lambda: isinstance(track, PictureTrack) and track.idle


def _warn(words: str) -> None:
    sys.stderr.write(f"{words[:400]}\n")
