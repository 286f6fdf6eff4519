"""Pictures wait for a late voice, by what the sender's reports say; virtual time, real streams."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from aiortc import RTCRtpSender, rtcrtpsender
from aiortc.rtp import (
    RtcpPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    RtpPacket,
)

from builders.receivers import OPUS, VP8, FakeReceiver
from folkmoot.media import connection as module
from folkmoot.media import private
from folkmoot.media.connection import PeerConnection
from folkmoot.media.encoding import Coder, EncoderSettings
from folkmoot.media.gathering import Ways
from folkmoot.media.receive import audio, video
from folkmoot.media.receive.opus import FRAME_SAMPLES, OpusEncoder, load
from folkmoot.media.tracks import PictureTrack

load()
_NTP = 3_900_000_000.0
_WAY_S, _PLAYBACK_S = 0.03, 0.02


class _Owner:
    """Who is told of a connection that is none."""

    def described(self, *_: object) -> None: ...
    def path_changed(self, *_: object) -> None: ...
    def broken(self, *_: object) -> None: ...
    def picture(self, *_: object) -> None: ...


class _Scene:
    """One who speaks and is seen: sound of the second t and the picture of t are of one moment.

    `sound_late_s`: how much longer than pictures sound takes on the sender's side; its reports say
    so. `jitter_s`: of the sound, which makes its buffer large.
    """

    def __init__(self, connection: PeerConnection, clock: Any) -> None:
        self.connection, self.clock = connection, clock
        sound, picture, _ = connection.connection.getTransceivers()
        for receiver, kind in ((sound.receiver, "audio"), (picture.receiver, "video")):
            codecs = FakeReceiver(kind).receiver._RTCRtpReceiver__codecs
            receiver._RTCRtpReceiver__codecs.update(codecs)  # type: ignore[attr-defined]
        self._receivers: dict[str, Any] = {"audio": sound.receiver, "video": picture.receiver}
        self.holds: list[float] = []

    async def play(self, seconds: float, *, sound_late_s: float, jitter_s: float) -> None:
        encoder, coder, chance = OpusEncoder(dtx=False), Coder(), random.Random(3)
        tone = (np.sin(np.arange(FRAME_SAMPLES) / 40) * 5_000).astype(np.int16)
        flat = av.VideoFrame.from_ndarray(np.full((48, 32), 90, np.uint8), format="yuv420p")
        begin = self.clock.now
        events: list[tuple[float, str, int]] = []
        for number in range(int(seconds * 50)):
            came = number * 0.02 + sound_late_s + _WAY_S + chance.random() * jitter_s
            events.append((came, "audio", number))
        events += [(n * 0.033 + _WAY_S, "video", n) for n in range(int(seconds * 30))]
        events += [(n * 0.01 + 0.002, "pull", n) for n in range(int(seconds * 100))]
        for after, what, number in sorted(events):
            self.clock.now = begin + after
            if what == "audio":
                stamp = number * FRAME_SAMPLES + 4_000_000_000
                await self._hand(what, OPUS, number, stamp, encoder.encode(tone))
                if number % 50 == 0:
                    await self._report(what, _NTP + number * 0.02, stamp)
            elif what == "video":
                stamp = number * 2_970 + 4_294_900_000
                made = coder.encode(
                    flat, number * 33_000_000, EncoderSettings(100_000, 30), number == 0
                )
                assert made is not None
                await self._hand(what, VP8, number, stamp, made.payloads[0])
                if number % 30 == 0:
                    await self._report(what, _NTP + number * 0.033, stamp)
            else:
                self.connection.sound.pull()
                if number % 10 == 0:
                    self.connection.match_lips(self.clock.now, _PLAYBACK_S)
                    self.holds.append(self.connection.pictures.hold_s)

    async def _hand(self, kind: str, codec: int, number: int, stamp: int, payload: bytes) -> None:
        packet = RtpPacket(
            payload_type=codec,
            marker=1,
            sequence_number=number & 0xFFFF,
            timestamp=stamp & 0xFFFFFFFF,
            ssrc=1 if kind == "audio" else 2,
            payload=payload,
        )
        await self._receivers[kind]._handle_rtp_packet(packet, arrival_time_ms=0)

    async def _report(self, kind: str, moment: float, stamp: int) -> None:
        info = RtcpSenderInfo(int(moment * (1 << 32)), stamp & 0xFFFFFFFF, 1, 1)
        await self._receivers[kind]._handle_rtcp_packet(RtcpSrPacket(ssrc=1, sender_info=info))


def _track(_: PeerConnection) -> PictureTrack:
    return PictureTrack(lambda _level, _urgent: None, lambda _rate: None)


@asynccontextmanager
async def _scene(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[_Scene]:
    clock = SimpleNamespace(now=1_000.0)
    fake_time = SimpleNamespace(monotonic=lambda: clock.now, monotonic_ns=lambda: 0)
    for each in (audio, video, module):
        monkeypatch.setattr(each, "time", fake_time)
    connection = PeerConnection(
        1,
        offers=True,
        ways=Ways(),
        owner=_Owner(),
        picture_track=_track,
        screen_track=_track,
    )
    try:
        yield _Scene(connection, clock)
    finally:
        await connection.close()


async def test_a_voice_that_is_150_ms_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _scene(monkeypatch) as scene:
        await scene.play(12, sound_late_s=0.09, jitter_s=0.05)
        delay = scene.connection.sound.delay_s
        assert delay >= 0.04
        # The voice comes 90 ms after the picture, waits, and is played: together about 150 ms.
        expected = 0.09 + delay + _PLAYBACK_S
        assert 0.14 <= expected <= 0.19
        left = expected - scene.holds[-1]
        assert 0.03 <= left <= 0.06  # which EBU R37 allows
        steps = np.diff(scene.holds)
        assert max(abs(steps)) <= 0.0051  # nobody sees it


async def test_a_picture_as_late_as_the_voice_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _scene(monkeypatch) as scene:
        await scene.play(6, sound_late_s=-0.08, jitter_s=0.05)
        assert max(scene.holds) == 0


async def test_while_the_voice_is_hardly_late_no_picture_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with _scene(monkeypatch) as scene:
        await scene.play(6, sound_late_s=0.15, jitter_s=0.0)
        assert scene.connection.sound.delay_s < 0.04
        assert max(scene.holds) == 0


async def test_a_report_tells_when_it_was_captured_and_the_round_trip_is_still_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SimpleNamespace(now=1_700_000_000.0)
    monkeypatch.setattr(rtcrtpsender, "time", SimpleNamespace(time=lambda: clock.now))
    sent: list[Any] = []

    async def send(data: bytes) -> None:
        sent.extend(RtcpPacket.parse(data))

    transport: Any = SimpleNamespace(state="new", _send_rtp=send, _stats_id="x")
    sender = RTCRtpSender("audio", transport)
    private.report_capture(sender, lambda: 0.25)
    moment = int((_NTP + 0.5) * (1 << 32))
    info = RtcpSenderInfo(moment, 77, 1, 1)
    sender._RTCRtpSender__lsr_time = clock.now  # type: ignore[attr-defined]
    await sender._send_rtcp([RtcpSrPacket(ssrc=sender._ssrc, sender_info=info)])
    reported = sent[0].sender_info
    assert reported.rtp_timestamp == 77
    assert (moment - reported.ntp_timestamp) / (1 << 32) == pytest.approx(0.25, abs=1e-6)
    answer = RtcpReceiverInfo(
        ssrc=sender._ssrc,
        fraction_lost=0,
        packets_lost=0,
        highest_sequence=1,
        jitter=0,
        lsr=(reported.ntp_timestamp >> 16) & 0xFFFFFFFF,
        dlsr=int(0.1 * 65_536),
    )
    clock.now += 0.3
    await sender._handle_rtcp_packet(RtcpRrPacket(ssrc=9, reports=[answer]))
    stats = sender._RTCRtpSender__stats.values()  # type: ignore[attr-defined]
    assert [each.roundTripTime for each in stats] == [pytest.approx(0.2, abs=1e-3)]


async def test_a_stream_that_has_not_begun_reports_nothing() -> None:
    sent: list[Any] = []

    async def send(data: bytes) -> None:
        sent.extend(RtcpPacket.parse(data))

    transport: Any = SimpleNamespace(state="new", _send_rtp=send)
    sender = RTCRtpSender("audio", transport)
    private.report_capture(sender, lambda: 0.25)
    await sender._send_rtcp([RtcpSrPacket(ssrc=1, sender_info=RtcpSenderInfo(0, 0, 0, 0))])
    assert sent == []
