"""The stamp in the picture: read back after scaling, colours, mirroring and a video codec."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from folkmoot.media.devices.pattern import Pattern
from folkmoot.media.devices.stamp import Stamp, read_stamp


@pytest.mark.parametrize("size", [(320, 180), (426, 240), (640, 480), (1280, 720), (1920, 1080)])
def test_a_stamp_is_read_back(size: tuple[int, int]) -> None:
    frame = Pattern(*size).draw(4_000_000_001, 2**47 + 12_345)
    assert read_stamp(frame) == Stamp(2**47 + 12_345, 4_000_000_001)


def test_a_stamp_survives_scaling_to_320_and_colours() -> None:
    frame = Pattern(1280, 720).draw(7, 123_456_789)
    small = frame.reformat(width=320, height=180, interpolation="FAST_BILINEAR")
    assert read_stamp(small) == Stamp(123_456_789, 7)
    packed = small.reformat(format="bgra").to_ndarray()
    assert read_stamp(packed) == Stamp(123_456_789, 7)
    assert read_stamp(packed[:, ::-1]) == Stamp(123_456_789, 7)


def test_a_stamp_survives_vp8_at_a_low_rate() -> None:
    pattern = Pattern(640, 360)
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 640, 360, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.bit_rate = Fraction(1, 30), Fraction(30), 250_000
    encoder.options = {"deadline": "realtime", "cpu-used": "8"}
    encoder.thread_count = 1
    decoder = av.CodecContext.create("vp8", "r")
    packets = []
    for number in range(30):
        frame = pattern.draw(number, 1_000_000 + number * 33_333)
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    pictures = [picture for packet in packets for picture in decoder.decode(packet)]
    assert len(pictures) == 30
    small = [each.reformat(width=320, height=180) for each in pictures]
    expected = [Stamp(1_000_000 + number * 33_333, number) for number in range(30)]
    assert [read_stamp(each) for each in small] == expected


def test_a_picture_without_a_stamp_gives_none() -> None:
    grey = av.VideoFrame(320, 180, "yuv420p")
    assert read_stamp(grey) is None
    noise = np.random.default_rng(1).integers(0, 256, (180, 320), dtype=np.uint8)
    assert read_stamp(noise) is None
    assert read_stamp(np.zeros((10, 10), np.uint8)) is None


def test_the_pattern_moves() -> None:
    pattern = Pattern(320, 180)
    first, second = (pattern.draw(number, 0).to_ndarray() for number in (10, 11))
    below = slice(60, 180)
    changed = np.abs(first[below].astype(int) - second[below]) > 4
    assert changed.mean() > 0.1
