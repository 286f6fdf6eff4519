"""Rectangles of pixels: what is hidden, what changed, which rows are to be fetched again.

A box is (left, top, width, height). Refuses nothing: an empty box is None where one may be empty.
"""

from __future__ import annotations

from collections.abc import Iterable

Box = tuple[int, int, int, int]
Rows = tuple[int, int]
"""From the first row, to the one before the second."""

_APART = 64
"""Changes that are fewer rows apart are fetched together."""
_MOST_BANDS = 4


def clip(box: Box, within: Box) -> Box | None:
    """What of `box` lies in `within`."""
    left, top = max(box[0], within[0]), max(box[1], within[1])
    right = min(box[0] + box[2], within[0] + within[2])
    bottom = min(box[1] + box[3], within[1] + within[3])
    if right <= left or bottom <= top:
        return None
    return left, top, right - left, bottom - top


def clip_all(boxes: Iterable[Box], within: Box) -> list[Box]:
    """What of `boxes` lies in `within`."""
    clipped = (clip(box, within) for box in boxes)
    return [box for box in clipped if box is not None]


def move(box: Box, across: int, down: int) -> Box:
    """The same box elsewhere."""
    return box[0] + across, box[1] + down, box[2], box[3]


def subtract(boxes: Iterable[Box], hole: Box) -> list[Box]:
    """`boxes` without what lies in `hole`."""
    rest: list[Box] = []
    for box in boxes:
        inner = clip(box, hole)
        if inner is None:
            rest.append(box)
            continue
        left, top, width, height = box
        right, bottom = left + width, top + height
        inner_right, inner_bottom = inner[0] + inner[2], inner[1] + inner[3]
        parts = (
            (left, top, width, inner[1] - top),
            (left, inner_bottom, width, bottom - inner_bottom),
            (left, inner[1], inner[0] - left, inner[3]),
            (inner_right, inner[1], right - inner_right, inner[3]),
        )
        rest += [part for part in parts if part[2] > 0 and part[3] > 0]
    return rest


def hidden_part(whole: Box, seen: Iterable[Box], covers: Iterable[Box]) -> list[Box]:
    """What of `whole` is not to be seen: outside of one of `seen`, or under one of `covers`."""
    visible = [whole]
    for window in seen:
        visible = clip_all(visible, window)
    for cover in covers:
        visible = subtract(visible, cover)
    hidden = [whole]
    for box in visible:
        hidden = subtract(hidden, box)
    return hidden


def area(boxes: Iterable[Box]) -> int:
    """How many pixels they have; those in two of them count twice."""
    return sum(box[2] * box[3] for box in boxes)


def find_bands(boxes: Iterable[Box], height: int) -> list[Rows]:
    """The rows that hold `boxes`, in few bands of even sides; within a picture of `height`."""
    spans = sorted(
        (max(0, box[1]) & ~1, min(height, box[1] + box[3] + 1 & ~1))
        for box in boxes
        if box[1] < height and box[1] + box[3] > 0
    )
    bands: list[Rows] = []
    for top, bottom in spans:
        if bands and (top - bands[-1][1] < _APART or len(bands) == _MOST_BANDS):
            bands[-1] = bands[-1][0], max(bands[-1][1], bottom)
        else:
            bands.append((top, bottom))
    return bands
