"""Rectangles of pixels."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.media.capture.boxes import Box, area, clip, find_bands, hidden_part, subtract

_SIDE = 24
_boxes = st.tuples(
    st.integers(-4, _SIDE), st.integers(-4, _SIDE), st.integers(1, _SIDE), st.integers(1, _SIDE)
)


def _painted(boxes: list[Box]) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    field = np.zeros((4 * _SIDE, 4 * _SIDE), np.bool_)
    for left, top, width, height in boxes:
        field[top + 8 : top + 8 + height, left + 8 : left + 8 + width] = True
    return field


@given(_boxes, _boxes)
def test_clipping_leaves_what_both_have(one: Box, other: Box) -> None:
    both = clip(one, other)
    assert np.array_equal(_painted([both] if both else []), _painted([one]) & _painted([other]))


@given(st.lists(_boxes, max_size=4), _boxes)
def test_subtracting_leaves_what_is_outside_of_the_hole(boxes: list[Box], hole: Box) -> None:
    rest = subtract(boxes, hole)
    assert np.array_equal(_painted(rest), _painted(boxes) & ~_painted([hole]))


@given(_boxes, st.lists(_boxes, max_size=2), st.lists(_boxes, max_size=4))
def test_hidden_is_what_is_outside_of_a_frame_or_under_a_cover(
    whole: Box, seen: list[Box], covers: list[Box]
) -> None:
    visible = _painted([whole]) & ~_painted(covers)
    for frame in seen:
        visible &= _painted([frame])
    assert np.array_equal(_painted(hidden_part(whole, seen, covers)), _painted([whole]) & ~visible)


@given(st.lists(_boxes, max_size=8))
def test_bands_hold_every_row_that_changed(boxes: list[Box]) -> None:
    height = _SIDE
    bands = find_bands(boxes, height)
    rows = {row for _, top, _, tall in boxes for row in range(max(0, top), min(height, top + tall))}
    banded = [row for top, bottom in bands for row in range(top, bottom)]
    assert rows <= set(banded)
    assert len(banded) == len(set(banded))
    assert all(top % 2 == 0 and bottom % 2 == 0 for top, bottom in bands)


def test_changes_far_apart_are_fetched_one_by_one() -> None:
    assert find_bands([(5, 11, 2, 20), (900, 1050, 60, 10)], 1080) == [(10, 32), (1050, 1060)]


def test_the_area_is_counted_in_pixels() -> None:
    assert area([(0, 0, 3, 4), (10, 10, 2, 2)]) == 16
