"""The decode thread when it cannot keep up, what is announced to it, and when pictures are due."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.media.encoding import Coder, EncoderSettings
from folkmoot.media.receive import decode
from folkmoot.media.receive.announced import announced_pixels
from folkmoot.media.receive.decode import DecodeThread
from folkmoot.media.receive.playout import MOST_HOLD_S, Playout
from folkmoot.media.receive.video_buffer import EncodedFrame

_QUEUE = 30


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still must not make pictures too late to be shown."""
    monkeypatch.setattr(decode, "_LATE_S", 1_000.0)


def _frames(count: int, keys: tuple[int, ...] = (0,)) -> list[EncodedFrame]:
    coder, made = Coder(), []
    for number in range(count):
        flat = np.full((72, 64), number, np.uint8)
        picture = coder.encode(
            av.VideoFrame.from_ndarray(flat, format="yuv420p"),
            number * 33_333_333,
            EncoderSettings(100_000, 30),
            number in keys,
        )
        assert picture is not None
        data = b"".join(payload[6:] for payload in picture.payloads)
        made.append(EncodedFrame(number, data, picture.key, picture.layer > 0))
    return made


class _Slow:
    """A thread whose pictures are taken only when `go` is set."""

    def __init__(self) -> None:
        self.go, self.busy, self.changed = (
            threading.Event(),
            threading.Event(),
            threading.Condition(),
        )
        self.shown: list[tuple[int, float]] = []
        self.lost = 0
        self.thread = DecodeThread("VP8", self._deliver, self._lost, lambda _words: None)

    def until(self, number: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: (self.shown or [(-1, 0.0)])[-1][0] == number, 20)

    def _deliver(self, _frame: av.VideoFrame, timestamp: int) -> None:
        self.busy.set()
        self.go.wait(20)
        with self.changed:
            self.shown.append((timestamp, time.monotonic()))
            self.changed.notify_all()

    def _lost(self) -> None:
        self.lost += 1


@pytest.fixture
def slow() -> Iterator[_Slow]:
    made = _Slow()
    yield made
    made.go.set()
    made.thread.end()
    assert made.thread.join(20)


def test_a_full_queue_drops_what_no_other_needs_and_else_all(slow: _Slow) -> None:
    frames = _frames(_QUEUE + 6, keys=(0, _QUEUE + 4))
    slow.thread.put(frames[0])
    assert slow.busy.wait(20)
    assert all(slow.thread.put(frame) for frame in frames[1 : _QUEUE + 1])
    upper = next(frame for frame in frames[_QUEUE + 1 :] if frame.droppable)
    assert slow.thread.put(upper)
    base = next(frame for frame in frames[_QUEUE + 1 :] if not frame.droppable and not frame.key)
    assert not slow.thread.put(base)
    assert slow.thread.put(frames[_QUEUE + 4])  # a key frame goes on
    slow.go.set()
    slow.until(_QUEUE + 4)
    assert [stamp for stamp, _ in slow.shown] == [0, _QUEUE + 4]


def test_a_key_frame_does_not_throw_away_what_is_yet_to_be_shown(
    slow: _Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "_KEY_LATE_S", 1_000.0)
    frames = _frames(4, keys=(0, 3))
    slow.go.set()
    now = time.monotonic()
    for number, frame in enumerate(frames):
        assert slow.thread.put(frame, now + 0.1 + number * 0.02)
    slow.until(3)
    assert [stamp for stamp, _ in slow.shown] == [0, 1, 2, 3]
    assert all(at >= now + 0.1 + stamp * 0.02 for stamp, at in slow.shown)


def test_no_picture_is_held_for_long_whatever_is_asked(slow: _Slow) -> None:
    slow.go.set()
    now = time.monotonic()
    slow.thread.put(_frames(1)[0], now + 3_600)
    slow.until(0)
    assert slow.shown[0][1] - now < 1_000


def test_a_stream_is_sound_after_ten_frames_in_a_row_without_an_error() -> None:
    told: list[str] = []
    over = threading.Event()

    def say(word: str) -> None:
        told.append(word)
        if len(told) == 22:
            over.set()

    thread = DecodeThread(
        "VP8",
        lambda _frame, _at: say("frame"),
        lambda: say("lost"),
        lambda _words: None,
        lambda: say("sound"),
    )
    whole = _frames(20)
    broken = EncodedFrame(9, b"\x00", False, False)
    for frame in (*whole[:9], broken, *whole[9:]):
        assert thread.put(frame)
    assert over.wait(20)
    thread.end()
    assert [(at, word) for at, word in enumerate(told) if word != "frame"] == [
        (9, "lost"),
        (20, "sound"),
    ]


@pytest.mark.parametrize("profile", ["Baseline", "Main", "High", "High 4:4:4 Predictive"])
@pytest.mark.parametrize("size", [(640, 480), (1920, 1080), (176, 144)])
def test_what_h264_announces_is_its_size(profile: str, size: tuple[int, int]) -> None:
    width, height = size
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt = "yuv444p" if "4:4:4" in profile else "yuv420p"
    encoder.time_base, encoder.profile = Fraction(1, 30), profile
    encoder.options = {"tune": "zerolatency", "preset": "ultrafast"}
    frame = av.VideoFrame(width, height, encoder.pix_fmt)
    data = b"".join(bytes(packet) for packet in encoder.encode(frame))
    blocks = -(-width // 16) * -(-height // 16)
    assert announced_pixels("H264", data) == blocks * 256


@given(st.sampled_from(["VP8", "H264"]), st.binary(max_size=300), st.booleans())
def test_nonsense_announces_something_or_nothing(codec: str, data: bytes, as_set: bool) -> None:
    head = b"\x00\x00\x00\x01\x67" if as_set else b""
    assert announced_pixels(codec, head + data) >= 0


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(st.integers(-(1 << 40), 1 << 40), st.floats(0, 5), st.booleans(), st.booleans()),
        max_size=80,
    ),
    st.floats(0, 1),
)
def test_whatever_the_timestamps_no_picture_is_held_longer_than_it_may(
    arrivals: list[tuple[int, float, bool, bool]], lip_s: float
) -> None:
    playout, now = Playout(), 100.0
    playout.lip_s = lip_s
    for number, (stamp, after, mended, near) in enumerate(arrivals):
        now += after
        due = playout.place(number * 3_000 if near else stamp, now, mended)
        assert now <= due <= now + MOST_HOLD_S
        assert 0 <= playout.hold_s <= MOST_HOLD_S
