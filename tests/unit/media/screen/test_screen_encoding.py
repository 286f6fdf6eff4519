"""A shared screen is encoded sharp, once more while it stands, and then not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import av
import numpy as np
import pytest

from folkmoot.media.devices.planes import view_plane
from folkmoot.media.encoding import EncodedPicture, Spent
from folkmoot.media.h264 import CLOCK_HZ
from folkmoot.media.screen import encoding as module
from folkmoot.media.screen.encoding import (
    KEY_APART_S,
    MUCH_BYTES,
    REFINE_TIMES,
    Refining,
    ScreenCoder,
    ScreenEncoder,
)
from lab.page import ssim

WIDTH, HEIGHT = 640, 360
_DESCRIPTOR = 6


def _page(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Marks as fine as letters, with little contrast: what is lost of them shows."""
    marks = np.random.default_rng(seed).random((HEIGHT // 2, WIDTH // 2)) < 0.3
    return np.where(np.repeat(np.repeat(marks, 2, 0), 2, 1), 120, 200).astype(np.uint8)


def _frame(luma: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> av.VideoFrame:
    planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    planes[:HEIGHT] = luma
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


class _Decoder:
    def __init__(self) -> None:
        self._codec = av.CodecContext.create("vp8", "r")

    def decode(self, picture: EncodedPicture) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        data = b"".join(payload[_DESCRIPTOR:] for payload in picture.payloads)
        frames = self._codec.decode(av.Packet(data))
        return view_plane(frames[0], 0).copy()


def test_whatever_moves_every_picture_keeps_its_sharpness_and_its_size() -> None:
    coder, decoder = ScreenCoder(), _Decoder()
    for number in range(8):
        page = _page(number)  # nothing of the picture before is of use
        made = coder.encode(_frame(page), number * 66_000_000, key=False)
        assert made is not None
        shown = decoder.decode(made)
        assert shown.shape == (HEIGHT, WIDTH)
        assert ssim(page, shown) >= 0.97
        assert made.key == (number == 0)


def test_another_size_begins_with_a_whole_picture() -> None:
    coder = ScreenCoder()
    coder.encode(_frame(_page(0)), 0, key=False)
    small = av.VideoFrame.from_ndarray(np.full((96, 64), 90, np.uint8), format="yuv420p")
    made = coder.encode(small, 1_000_000, key=False)
    assert made is not None
    assert made.key


def test_times_of_one_encoder_only_grow() -> None:
    coder = ScreenCoder()
    stamps = []
    for at_ns in (5_000_000_000, 4_000_000_000, 4_000_000_000, 6_000_000_000):
        made = coder.encode(_frame(_page(1)), at_ns, key=False)
        assert made is not None
        stamps.append(made.timestamp)
    assert stamps == sorted(set(stamps))


def test_what_changed_much_is_refined_and_a_caret_is_not() -> None:
    refining = Refining()
    assert not refining.wanted
    refining.note(MUCH_BYTES, key=False, again=False)
    for _ in range(REFINE_TIMES):
        assert refining.wanted
        refining.note(500, key=False, again=True)
    assert not refining.wanted
    refining.note(700, key=False, again=False)
    assert not refining.wanted
    refining.note(700, key=True, again=True)
    assert refining.wanted


class _Encoding:
    """An encoder in its thread, and what it made."""

    def __init__(self, *, copies: bool = False, busy: Callable[[], bool] = lambda: False) -> None:
        self.made: list[EncodedPicture] = []
        self.failures: list[Exception] = []
        self._changed = threading.Condition()
        self.encoder = ScreenEncoder("test", self._done, self._failed, copies=copies, busy=busy)

    def _failed(self, error: Exception) -> None:
        with self._changed:
            self.failures.append(error)
            self._changed.notify_all()

    def _done(self, picture: EncodedPicture, _: Spent) -> None:
        with self._changed:
            self.made.append(picture)
            self._changed.notify_all()

    def until(self, right: Callable[[list[EncodedPicture]], bool]) -> list[EncodedPicture]:
        with self._changed:
            assert self._changed.wait_for(lambda: right(self.made), 30)
            return list(self.made)

    def stays(self, count: int, seconds: float) -> bool:
        """Whether nothing more than `count` pictures come in that time."""
        with self._changed:
            return not self._changed.wait_for(lambda: len(self.made) > count, seconds)


@pytest.fixture
def encoding() -> Iterator[_Encoding]:
    made = _Encoding()
    yield made
    made.encoder.close()


def test_the_last_picture_is_refined_and_then_nothing_comes(encoding: _Encoding) -> None:
    page = _page(3)
    encoding.encoder.submit(_frame(page), time.monotonic_ns())
    made = encoding.until(lambda made: len(made) >= 1 + REFINE_TIMES)
    gaps = np.diff([picture.timestamp for picture in made]) / CLOCK_HZ
    assert np.median(gaps) < 1.0 / REFINE_TIMES  # within a second on a machine that never stalls
    assert encoding.stays(1 + REFINE_TIMES, 0.5)
    decoder = _Decoder()
    shown = [decoder.decode(picture) for picture in made]
    assert ssim(page, shown[-1]) >= max(0.99, ssim(page, shown[0]))


def test_who_needs_a_whole_picture_gets_it_made_of_the_last_one(encoding: _Encoding) -> None:
    page = _page(4)
    encoding.encoder.submit(_frame(page), time.monotonic_ns())
    made = encoding.until(lambda made: len(made) == 1 + REFINE_TIMES)
    assert [picture.key for picture in made] == [True] + [False] * REFINE_TIMES
    encoding.encoder.want_key(urgent=True)
    made = encoding.until(lambda made: sum(picture.key for picture in made) == 2)
    key = next(picture for picture in reversed(made) if picture.key)
    assert ssim(page, _Decoder().decode(key)) >= 0.97


def test_a_whole_picture_is_not_made_again_for_a_late_request(
    encoding: _Encoding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEY_FRAME_S", 1_000.0)  # on a machine that stalls, late is later
    encoding.encoder.submit(_frame(_page(5)), time.monotonic_ns())
    encoding.until(lambda made: len(made) >= 1)
    encoding.encoder.want_key(urgent=False)
    made = encoding.until(lambda made: len(made) >= 1 + REFINE_TIMES)
    assert sum(picture.key for picture in made) == 1
    assert encoding.stays(len(made), 1.2)


def test_many_requests_bring_about_one_whole_picture_a_second(encoding: _Encoding) -> None:
    began = time.monotonic()
    encoding.encoder.submit(_frame(_page(6)), time.monotonic_ns())
    keys = 0
    while keys < 4 and time.monotonic() - began < 30:
        encoding.encoder.want_key(urgent=False)
        encoding.stays(10_000, 0.02)
        keys = sum(picture.key for picture in encoding.until(lambda _: True))
    assert keys == 4
    assert time.monotonic() - began >= 3 * KEY_APART_S


def test_of_pictures_that_wait_only_the_newest_is_encoded() -> None:
    busy = threading.Event()
    encoding = _Encoding(busy=busy.is_set)
    encoding.encoder.submit(_frame(_page(7)), time.monotonic_ns())
    encoding.until(lambda made: len(made) >= 1 + REFINE_TIMES)
    busy.set()
    for seed in range(8, 20):
        encoding.encoder.submit(_frame(_page(seed)), time.monotonic_ns())
    busy.clear()
    made = encoding.until(lambda made: len(made) >= 2 + REFINE_TIMES)
    encoding.encoder.close()
    decoder = _Decoder()
    shown = [decoder.decode(picture) for picture in made[: 2 + REFINE_TIMES]][-1]
    assert ssim(_page(19), shown) >= 0.97


def test_an_encoder_that_shares_its_pictures_leaves_them_as_they_are() -> None:
    encoding = _Encoding(copies=True)
    frame = _frame(_page(9))
    frame.pts = 77
    encoding.encoder.submit(frame, time.monotonic_ns())
    encoding.until(lambda made: len(made) >= 2)
    encoding.encoder.close()
    assert frame.pts == 77


def test_nothing_is_made_while_what_was_made_before_waits() -> None:
    busy = threading.Event()
    encoding = _Encoding(busy=busy.is_set)
    encoding.encoder.submit(_frame(_page(1)), time.monotonic_ns())
    encoding.until(lambda made: len(made) == 1 + REFINE_TIMES)
    busy.set()
    encoding.encoder.submit(_frame(_page(2)), time.monotonic_ns())
    assert encoding.stays(1 + REFINE_TIMES, 0.3)
    busy.clear()
    encoding.until(lambda made: len(made) > 1 + REFINE_TIMES)
    encoding.encoder.close()


def test_a_picture_that_cannot_be_encoded_is_told_and_the_next_one_is_whole(
    encoding: _Encoding, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = ScreenCoder.encode
    broken = iter([True])

    def fails_once(*arguments: Any) -> EncodedPicture | None:
        if next(broken, False):
            raise ValueError("broken")
        return encode(*arguments)

    monkeypatch.setattr(ScreenCoder, "encode", fails_once)
    encoding.encoder.submit(_frame(_page(1)), time.monotonic_ns())
    encoding.until(lambda _: bool(encoding.failures))
    assert encoding.stays(0, 0.3)  # it is not tried again and again
    encoding.encoder.submit(_frame(_page(2)), time.monotonic_ns())
    assert encoding.until(lambda made: len(made) >= 1)[0].key
    assert [str(error) for error in encoding.failures] == ["broken"]
