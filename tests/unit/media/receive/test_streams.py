"""The streams through the glue to aiortc: good ones, and peers that send what nobody sends."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction
from functools import partial
from types import SimpleNamespace

import av
import numpy as np
import pytest
from aiortc.codecs.h264 import H264Encoder
from aiortc.rtp import RtpPacket, wrap_rtx
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.receivers import (
    H264,
    OPUS,
    PCMU,
    RTX,
    RTX_SOURCE,
    SOURCE,
    VP8,
    FakeReceiver,
    Told,
)
from folkmoot.media.encoding import Coder, EncodedPicture, EncoderSettings
from folkmoot.media.receive import audio, decode, video
from folkmoot.media.receive.audio import AudioStream
from folkmoot.media.receive.opus import load
from folkmoot.media.receive.overrides import MOST_SOURCES
from folkmoot.media.receive.video import VideoStream
from folkmoot.media.receive.video_buffer import MOST_BYTES, MOST_PACKETS

load()


def _frame(number: int, width: int = 64, height: int = 48) -> av.VideoFrame:
    luma = np.full((height * 3 // 2, width), 128, np.uint8)
    luma[:height] = (np.mgrid[0:height, 0:width].sum(axis=0) * 5 + number * 9) % 256
    frame = av.VideoFrame.from_ndarray(luma, format="yuv420p")
    frame.pts, frame.time_base = number * 3_000, Fraction(1, 90_000)
    return frame


def _vp8(count: int, keys: tuple[int, ...] = (0,)) -> list[EncodedPicture]:
    coder = Coder()
    made = [
        coder.encode(_frame(n), n * 33_333_333, EncoderSettings(300_000, 30), n in keys)
        for n in range(count)
    ]
    return [picture for picture in made if picture is not None]


class _View:
    """A video stream with a receiver that is none, and what came out of it."""

    def __init__(self) -> None:
        self.told = Told()
        self.fake = FakeReceiver("video")
        loop = asyncio.get_running_loop()
        self._news = asyncio.Event()

        def changed() -> None:
            loop.call_soon_threadsafe(self._news.set)

        self.told.changed = changed
        self.stream = VideoStream(
            self.fake.receiver,
            deliver=self.told.deliver,
            broken=self.told.break_peer,
            loop=loop,
        )
        self.stream.attach()
        self.sequence = 65_530

    async def send(self, picture: EncodedPicture, lose: tuple[int, ...] = ()) -> None:
        for number, payload in enumerate(picture.payloads):
            if number not in lose:
                last = number == len(picture.payloads) - 1
                stamp = picture.timestamp
                await self.fake.rtp(VP8, self.sequence, stamp, payload, marker=last)
            self.sequence += 1

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not true():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def _view() -> AsyncIterator[_View]:
    view = _View()
    try:
        yield view
    finally:
        view.stream.close()


def _decode_threads() -> int:
    return sum(1 for each in threading.enumerate() if each.name == "video-decode")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still must not make pictures too late to be shown."""
    monkeypatch.setattr(decode, "_LATE_S", 1_000.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock of streams of pictures; it stands still."""
    made = SimpleNamespace(now=time.monotonic())
    monkeypatch.setattr(video, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


async def test_a_lost_packet_comes_back_by_its_own_stream(clock: SimpleNamespace) -> None:
    async with _view() as view:
        pictures = _vp8(4)
        needed = pictures[2]  # of the base layer, like every other one
        await view.send(pictures[0])
        await view.send(pictures[1])
        lost = view.sequence & 0xFFFF
        await view.send(needed, lose=(0,))
        await view.send(pictures[3])
        clock.now += 0.03
        await view.fake.until_asked_for(lost)
        packet = RtpPacket(
            payload_type=VP8,
            marker=int(len(needed.payloads) == 1),
            sequence_number=lost,
            timestamp=needed.timestamp,
            ssrc=SOURCE,
            payload=needed.payloads[0],
        )
        again = wrap_rtx(packet, payload_type=RTX, sequence_number=7, ssrc=RTX_SOURCE)
        await view.fake.hand(again)
        await view.until(lambda: len(view.told.pictures) == 4)
        stamps = [stamp for stamp, _, _ in view.told.pictures]
        assert stamps == [picture.timestamp for picture in pictures]


async def test_our_own_upper_layer_can_be_lost_without_a_stop() -> None:
    async with _view() as view:
        pictures = _vp8(5)
        for number, picture in enumerate(pictures):
            await view.send(picture, lose=(0,) if number % 2 else ())
        await view.until(lambda: len(view.told.pictures) == 3)
        assert [at for at, _, _ in view.told.pictures] == [p.timestamp for p in pictures[::2]]
        assert await view.fake.plis() == 0


async def test_h264_comes_through_in_fragments_and_aggregates() -> None:
    async with _view() as view:
        encoder, kinds, sequence = H264Encoder(), set[int](), 0
        for number in range(6):
            payloads, stamp = encoder.encode(_frame(number, 640, 480), number == 0)
            for place, payload in enumerate(payloads):
                kinds.add(payload[0] & 0x1F)
                last = place == len(payloads) - 1
                await view.fake.rtp(H264, sequence, stamp, payload, marker=last)
                sequence += 1
        assert {24, 28} <= kinds
        await view.until(lambda: len(view.told.pictures) == 6)
        assert view.told.pictures[5] == (15_000, 640, 480)


async def test_who_changes_the_source_all_the_time_is_told_and_heard_no_more() -> None:
    async with _view() as view:
        threads = _decode_threads()
        key = _vp8(1)[0].payloads[0]
        for number in range(500):
            await view.fake.rtp(VP8, number, number * 3_000, key, source=10 + number % 2)
        assert view.told.broken == ["many_sources"]
        assert _decode_threads() <= threads + 8
        assert view.stream.stats.width in (0, 64)


async def test_a_voice_whose_source_changes_all_the_time_is_told() -> None:
    loop, told, fake = asyncio.get_running_loop(), Told(), FakeReceiver("audio")
    stream = AudioStream(fake.receiver, broken=told.break_peer, loop=loop)
    stream.attach()
    for number in range(100):
        await fake.rtp(OPUS, number, number * 960, b"\xf8\xff\xfe", source=10 + number % 2)
    await fake.feedback()
    assert told.broken == ["many_sources"]
    stream.close()


async def test_a_picture_that_announces_16k_ends_before_a_decoder_sees_it() -> None:
    async with _view() as view:
        first, second = _vp8(2)
        await view.send(first)
        await view.until(lambda: len(view.told.pictures) == 1)
        giant = bytearray(_vp8(1)[0].payloads[0])
        at = giant.index(b"\x9d\x01\x2a") + 3
        giant[at : at + 4] = (16_383).to_bytes(2, "little") * 2
        await view.fake.rtp(VP8, view.sequence, 3_000, bytes(giant))
        await view.until(lambda: bool(view.told.broken))
        assert view.told.broken == ["giant_picture"]
        await view.send(second)
        assert len(view.told.pictures) == 1


def _golomb(value: int) -> str:
    bits = f"{value + 1:b}"
    return "0" * (len(bits) - 1) + bits


def _giant_sps() -> bytes:
    """Baseline, level 6.2, 16,384 by 8,640 pixels."""
    bits = f"{66:08b}{0xC0:08b}{62:08b}" + "".join(map(_golomb, (0, 0, 2, 1)))
    bits += "0" + _golomb(16_384 // 16 - 1) + _golomb(8_640 // 16 - 1) + "1" + "1" + "0" + "0" + "1"
    bits += "0" * (-len(bits) % 8)
    return b"\x67" + int(bits, 2).to_bytes(len(bits) // 8, "big")


async def test_h264_that_announces_16k_ends_before_a_decoder_sees_it() -> None:
    async with _view() as view:
        payloads, _ = H264Encoder().encode(_frame(0, 640, 480), True)
        picture_set = b"\x68\xce\x3c\x80"
        units = b"".join(len(u).to_bytes(2, "big") + u for u in (_giant_sps(), picture_set))
        fragments = [payload for payload in payloads if payload[0] & 0x1F in (5, 28)]
        for number, payload in enumerate([b"\x78" + units, *fragments]):
            last = number == len(fragments)
            await view.fake.rtp(H264, number, 0, payload, marker=last)
        await view.until(lambda: bool(view.told.broken))
        assert view.told.broken == ["giant_picture"]
        assert view.told.pictures == []


@pytest.mark.usefixtures("clock")
async def test_a_picture_that_changes_its_size_all_the_time_is_told() -> None:
    async with _view() as view:
        settings_ = EncoderSettings(300_000, 30)
        for number in range(200):
            picture = Coder().encode(
                _frame(number, 64 + 16 * (number % 5), 48), number * 33_333_333, settings_, True
            )
            assert picture is not None
            shown = len(view.told.pictures)
            await view.send(picture)
            await view.until(
                partial(lambda was: len(view.told.pictures) > was or bool(view.told.broken), shown)
            )
            if view.told.broken:
                break
        assert view.told.broken == ["restless_picture"]
        assert 20 <= len(view.told.pictures) <= 40


async def test_a_picture_that_is_not_wanted_is_not_decoded_and_comes_back(
    clock: SimpleNamespace,
) -> None:
    async with _view() as view:
        pictures = _vp8(6, keys=(0, 4))
        await view.send(pictures[0])
        await view.until(lambda: len(view.told.pictures) == 1)
        view.stream.wanted = False
        await view.send(pictures[1])
        await view.send(pictures[2])
        asked = await view.fake.plis()
        view.stream.wanted = True
        await view.send(pictures[3])
        assert await view.fake.plis() == asked + 1
        await view.send(pictures[4])
        await view.send(pictures[5])
        await view.until(lambda: len(view.told.pictures) == 3)
        shown = [stamp for stamp, _, _ in view.told.pictures]
        assert shown == [pictures[at].timestamp for at in (0, 4, 5)]


@pytest.mark.parametrize("lost", [True, False])
async def test_a_stop_is_a_freeze_when_something_was_lost_and_else_a_pause(
    lost: bool, clock: SimpleNamespace
) -> None:
    async with _view() as view:
        pictures = _vp8(13, keys=(0, 12))
        for number, picture in enumerate(pictures):
            clock.now += 0.4 if number == 12 else 0.033
            await view.send(picture, lose=(0,) if lost and number == 10 else ())
            if number != 10 and not (lost and number == 11):
                stamp = picture.timestamp
                await view.until(
                    partial(lambda it: any(at == it for at, _, _ in view.told.pictures), stamp)
                )
        stats = view.stream.stats
        assert (stats.freezes, stats.frozen_ms) == ((1, 466) if lost else (0, 0))


@pytest.mark.parametrize("is_late", [False, True], ids=["decoder at once", "decoder late"])
async def test_minutes_of_garbage_are_asked_about_seldom(
    is_late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is due after the real time is held back by the decoder, as a busy computer would.
    clock = SimpleNamespace(now=time.monotonic() + (1_000.0 if is_late else -1_000.0))
    monkeypatch.setattr(video, "time", SimpleNamespace(monotonic=lambda: clock.now))
    chance = np.random.default_rng(2)
    async with _view() as view:
        for number in range(6_000):  # three minutes
            clock.now += 0.03
            body = chance.bytes(int(chance.integers(0, 60)))
            await view.fake.rtp(VP8, number, number * 2_700, body)
            if number % 50 == 0:
                await view.fake.feedback()
        assert 20 <= await view.fake.plis() <= 200
        assert view.told.broken == []


async def test_a_peer_may_say_how_loud_the_voice_in_its_sound_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SimpleNamespace(now=50.0)
    monkeypatch.setattr(audio, "time", SimpleNamespace(monotonic=lambda: clock.now))
    loop, told, fake = asyncio.get_running_loop(), Told(), FakeReceiver("audio")
    stream = AudioStream(fake.receiver, broken=told.break_peer, loop=loop)
    stream.attach()
    assert stream.said_db() is None
    packet = RtpPacket(payload_type=OPUS, ssrc=SOURCE, payload=b"\xf8\xff\xfe")
    packet.extensions.audio_level = (False, 33)
    await fake.hand(packet)
    assert stream.said_db() == -33.0
    clock.now += 2.0  # one who is gone says nothing any more
    assert stream.said_db() is None
    await fake.hand(packet)
    await fake.rtp(OPUS, 1, 960, b"\xf8\xff\xfe")
    assert stream.said_db() is None
    stream.close()


async def test_other_codecs_are_told_once() -> None:
    loop, told, fake = asyncio.get_running_loop(), Told(), FakeReceiver("audio")
    stream = AudioStream(fake.receiver, broken=told.break_peer, loop=loop)
    stream.attach()
    for number in range(5):
        await fake.rtp(PCMU, number, number * 160, b"x" * 160)
    assert told.broken == ["audio_codec"]
    stream.close()


_packet = st.builds(
    RtpPacket,
    payload_type=st.sampled_from([VP8, VP8, H264, RTX, OPUS, PCMU, 5]),
    marker=st.integers(0, 1),
    sequence_number=st.integers(0, 65_535),
    timestamp=st.integers(0, (1 << 32) - 1),
    ssrc=st.sampled_from([SOURCE, SOURCE, SOURCE, RTX_SOURCE, 3, 4]),
    payload=st.binary(max_size=80) | st.just(_vp8(1)[0].payloads[0]),
)
_near = st.tuples(_packet, st.booleans())


async def _fuzz(packets: list[tuple[RtpPacket, bool]], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=50.0)
    fake_time = SimpleNamespace(monotonic=lambda: clock.now)
    monkeypatch.setattr(video, "time", fake_time)
    monkeypatch.setattr(audio, "time", fake_time)
    told, voice = Told(), FakeReceiver("audio")
    loop = asyncio.get_running_loop()
    sound = AudioStream(voice.receiver, broken=told.break_peer, loop=loop)
    sound.attach()
    async with _view() as view:
        for number, (packet, near) in enumerate(packets):
            clock.now += 0.02
            if near:
                packet.sequence_number = (number + packet.sequence_number % 4) & 0xFFFF
                packet.timestamp = number * 1_800
            await view.fake.hand(packet)
            await voice.hand(packet)
            samples = sound.pull()
            assert samples is None or samples.shape == (480,)
            count, size = view.stream._buffer.held
            assert count <= MOST_PACKETS
            assert size <= MOST_BYTES
            assert len(view.stream._sending) <= 16
            assert 0 <= view.stream.hold_s <= 0.2
        await view.fake.feedback()
        for fake in (view.fake, voice):
            assert len(fake.receiver._RTCRtpReceiver__remote_streams) <= MOST_SOURCES
        assert view.stream.stats.plis <= len(packets)
    sound.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(_near, max_size=120))
def test_whatever_packets_come_nothing_raises_and_nothing_grows(
    packets: list[tuple[RtpPacket, bool]],
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        asyncio.run(_fuzz(packets, monkeypatch))
