"""One picture of many: each place shows the newest of a person, scaled once, with the name on it.

Owns the canvas, of which only what changed is drawn anew. Refuses nothing: places beyond the canvas
are cut off, and those that are too small are left out.
"""

from __future__ import annotations

from collections.abc import Callable

import av
import av.error
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from folkmoot.media.devices.planes import Plane, view_plane
from folkmoot.media.recording.pictures import Key, Picture
from folkmoot.media.recording.words import Words
from folkmoot.services.media_port import RecordPlace

_BLACK, _NEUTRAL = 16, 128
_EMPTY = 40
"""Luma of a place without a picture."""
_LEAST = 8
_MOST_TIMES = 4
Box = tuple[int, int, int, int]
"""Left, top, right, bottom; all even."""


class _Place:
    def __init__(self, plan: RecordPlace, box: Box) -> None:
        self.plan, self.box = plan, box
        self.key: Key = plan.peer, plan.kind
        self.scaler = VideoReformatter()
        self.scaled: av.VideoFrame | None = None
        self.scaled_of = 0
        self.picture = -1
        self.name: Plane | None = None


class Composer:
    """`newest` answers what to show of (peer, kind). Used by one thread."""

    def __init__(
        self, width: int, height: int, newest: Callable[[Key], Picture | None], words: Words
    ) -> None:
        self.frame = av.VideoFrame(width, height, "yuv420p")
        """The canvas; it is drawn over by the next `draw`."""
        self._size = width, height
        self._planes = [view_plane(self.frame, index) for index in range(3)]
        self._newest, self._words = newest, words
        self._places: list[_Place] = []
        self._fresh = True

    def set_places(self, plans: tuple[RecordPlace, ...]) -> None:
        """Lay it out anew."""
        boxes = ((plan, _box(plan, *self._size)) for plan in plans)
        self._places = [_Place(plan, box) for plan, box in boxes if box is not None]
        self._fresh = True

    def draw(self) -> bool:
        """Draw what changed; whether anything did."""
        changed: list[Box] = []
        if self._fresh:
            whole = (0, 0, *self._size)
            self._fill(whole, _BLACK)
            self._fresh = False
            changed.append(whole)
        for place in self._places:
            picture = self._newest(place.key)
            name, number = self._find_name(place, picture is None), picture.number if picture else 0
            same = number == place.picture and name is place.name
            if same and not any(_meet(place.box, each) for each in changed):
                continue
            place.picture, place.name = number, name
            if picture is None or not self._draw_picture(place, picture):
                self._fill(place.box, _EMPTY)
            if name is not None:
                self._write(place.box, name, middle=picture is None)
            changed.append(place.box)
        return bool(changed)

    def _find_name(self, place: _Place, middle: bool) -> Plane | None:
        left, top, right, bottom = place.box
        height = bottom - top
        pixels = min(48, height // 6) if middle else min(22, max(12, height // 16))
        found = self._words.find(place.plan.name, pixels, right - left)
        return None if found is None or found.shape[0] > height else found

    def _draw_picture(self, place: _Place, picture: Picture) -> bool:
        if place.scaled is None or place.scaled_of != picture.number:
            width, height = _scaled_size(picture.frame, place)
            try:
                place.scaled = place.scaler.reformat(
                    picture.frame,
                    width=width,
                    height=height,
                    format="yuv420p",
                    interpolation=Interpolation.FAST_BILINEAR,
                    threads=1,
                )
            except (av.error.FFmpegError, ValueError):
                place.scaled = None
                return False
            place.scaled_of = picture.number
        self._copy(place.scaled, place.box)
        return True

    def _copy(self, source: av.VideoFrame, box: Box) -> None:
        """The middle of `source` to the middle of `box`; what stays free becomes black."""
        left, top, right, bottom = box
        wide, tall = min(source.width, right - left), min(source.height, bottom - top)
        if wide < right - left or tall < bottom - top:
            self._fill(box, _BLACK)
        left += (right - left - wide) // 4 * 2
        top += (bottom - top - tall) // 4 * 2
        across, down = (source.width - wide) // 4 * 2, (source.height - tall) // 4 * 2
        for index, plane in enumerate(self._planes):
            half = 1 if index == 0 else 2
            pixels = view_plane(source, index)[down // half :, across // half :]
            target = _part(plane, (left, top, left + wide, top + tall), half)
            target[:] = pixels[: target.shape[0], : target.shape[1]]

    def _fill(self, box: Box, luma: int) -> None:
        for index, plane in enumerate(self._planes):
            _part(plane, box, 1 if index == 0 else 2)[:] = luma if index == 0 else _NEUTRAL

    def _write(self, box: Box, words: Plane, *, middle: bool) -> None:
        left, top, right, bottom = box
        tall, wide = words.shape
        if middle:
            left, top = left + (right - left - wide) // 4 * 2, top + (bottom - top - tall) // 4 * 2
            words = np.maximum(words, _EMPTY)
        else:
            top = bottom - tall
        at = left, top, left + wide, top + tall
        _part(self._planes[0], at, 1)[:] = words
        for plane in self._planes[1:]:
            _part(plane, at, 2)[:] = _NEUTRAL


def _part(plane: Plane, box: Box, half: int) -> Plane:
    left, top, right, bottom = (side // half for side in box)
    return plane[top:bottom, left:right]


def _box(plan: RecordPlace, width: int, height: int) -> Box | None:
    left, top = (min(side, most) & ~1 for side, most in ((plan.left, width), (plan.top, height)))
    right = min(plan.left + plan.width, width) & ~1
    bottom = min(plan.top + plan.height, height) & ~1
    if right - left < _LEAST or bottom - top < _LEAST:
        return None
    return left, top, right, bottom


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _scaled_size(frame: av.VideoFrame, place: _Place) -> tuple[int, int]:
    """It covers the place, or (`fit`) lies within it. Sides are even and at least 2."""
    left, top, right, bottom = place.box
    wide, tall = right - left, bottom - top
    across, down = wide / frame.width, tall / frame.height
    scale = min(across, down) if place.plan.fit else max(across, down)
    width, height = (max(2, 2 * round(side * scale / 2)) for side in (frame.width, frame.height))
    if place.plan.fit:
        return min(wide, width), min(tall, height)
    # A very long picture would be scaled to a huge one only to be cut: it is squeezed instead.
    return (
        min(wide * _MOST_TIMES, max(wide, width)),
        min(tall * _MOST_TIMES, max(tall, height)),
    )
