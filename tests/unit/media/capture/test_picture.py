"""From pixels to frames."""

from __future__ import annotations

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from folkmoot.media.capture.changes import ChangeFinder
from folkmoot.media.capture.picture import Painter, fit
from folkmoot.media.devices.planes import view_plane


def _noise(height: int, width: int) -> NDArray[np.uint8]:
    chance = np.random.default_rng(3)
    small = chance.integers(0, 255, (height // 8 + 1, width // 8 + 1, 4), dtype=np.uint8)
    return np.repeat(np.repeat(small, 8, 0), 8, 1)[:height, :width].copy()


def _luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    return view_plane(frame, 0).copy()


def test_a_frame_shows_the_pixels_with_even_sides() -> None:
    frame = Painter().paint(_noise(101, 203), (1920, 1080))
    assert (frame.width, frame.height, frame.format.name) == (202, 100, "yuv420p")
    shown = frame.to_ndarray(format="bgra").astype(int)
    # away from the edges of blocks, where colours at half the size mix
    near = np.abs(shown[4::8, 4::8, :3] - _noise(101, 203)[4:100:8, 4:202:8, :3])
    assert near.mean() < 4


def test_only_the_rows_that_changed_are_converted_and_the_rest_stays() -> None:
    painter, pixels = Painter(), _noise(200, 160)
    first = painter.paint(pixels, (1920, 1080))
    before = _luma(first)
    pixels[40:60] = 255
    pixels[100:104] = 0  # not told, so not shown
    second = painter.paint(pixels, (1920, 1080), [(40, 60)])
    assert np.array_equal(_luma(first), before)
    assert np.all(_luma(second)[40:60] == 235)
    assert np.array_equal(_luma(second)[60:], before[60:])
    assert np.array_equal(_luma(second)[:40], before[:40])


def test_a_part_is_converted_as_the_whole_would_be() -> None:
    pixels = _noise(200, 160)
    part = Painter()
    part.paint(np.zeros_like(pixels), (1920, 1080))
    for top in (0, 64, 128):
        part.paint(pixels, (1920, 1080), [(top, min(200, top + 64))])
    last = part.paint(pixels, (1920, 1080), [(192, 200)])
    assert np.array_equal(_luma(last), _luma(Painter().paint(pixels, (1920, 1080))))


def test_another_limit_gives_another_size_of_the_whole() -> None:
    painter, pixels = Painter(), _noise(400, 800)
    painter.paint(pixels, (1920, 1080))
    small = painter.paint(pixels, (400, 1080), [])
    assert (small.width, small.height) == (400, 200)
    large = painter.paint(pixels, (1920, 1080), [])
    assert np.array_equal(_luma(large), _luma(Painter().paint(pixels, (1920, 1080))))


@pytest.mark.parametrize(
    ("size", "limits", "wanted"),
    [
        ((1920, 1080), (1920, 1080), (1920, 1080)),
        ((5120, 2880), (4096, 4096), (3840, 2160)),
        ((333, 201), (1920, 1080), (332, 200)),
        ((1920, 1080), (1280, 720), (1280, 720)),
        ((30, 4000), (1920, 1080), (8, 1080)),
        ((1, 1), (16, 16), (2, 2)),
    ],
)
def test_pictures_fit_their_limits_in_their_shape(
    size: tuple[int, int], limits: tuple[int, int], wanted: tuple[int, int]
) -> None:
    assert fit(*size, limits) == wanted


def test_a_picture_of_one_pixel_can_be_shown() -> None:
    frame = Painter().paint(np.full((1, 1, 4), 255, np.uint8), (1920, 1080))
    assert (frame.width, frame.height) == (2, 2)
    assert np.all(_luma(frame) == 235)


def test_a_changed_pixel_is_found_and_nothing_in_the_same_picture() -> None:
    finder, pixels = ChangeFinder(), _noise(120, 160)
    assert finder.look(pixels) == 1.0
    assert finder.look(pixels.copy()) == 0.0
    pixels[57, 3, 1] ^= 1
    assert finder.look(pixels) == 1 / 120
    assert finder.bands == [(56, 58)]
    assert finder.look(pixels) == 0.0
    assert finder.look(pixels[:100]) == 1.0
