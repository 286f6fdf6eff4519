"""A generated page of text, 1920 by 1080, for tests and measurements: the same on every computer.

Owns its glyphs, drawn by chance from a fixed seed, and a caret. Refuses ids that it does not know.
"""

from __future__ import annotations

import functools

import av
import numpy as np
from numpy.typing import NDArray

from folkmoot.media.capture.boxes import Box
from folkmoot.media.capture.picture import Limits, shrink
from folkmoot.media.capture.source import NOWHERE, ShareEnded
from folkmoot.media.devices.planes import view_plane

WIDTH, HEIGHT = 1920, 1080
BLINK_S = 0.5
CARET: Box = (960, 540, 2, 20)
_TALL = 4 * HEIGHT
_SEED = 7
_PAPER, _INK = 235, 30
_GLYPHS, _GLYPH = 64, (14, 8)
_LINE = 22
_MARGIN = 96

Plane = NDArray[np.uint8]


class Page:
    """The source `source_id`: ``scroll=7`` goes on by 7 pixels with each picture that is taken,
    ``still`` or empty stands still with a blinking caret, ``blank`` stands still."""

    place, is_ready = NOWHERE, True

    def __init__(self, source_id: str) -> None:
        self._step, self._blinks = _read_id(source_id)
        self._at = 0
        self._began: float | None = None
        self._shown, self._on = -1, True
        self._luma, self._blue, self._red = draw_page()

    def attend(self, now: float) -> None:
        """See `Source`."""

    def moved(self, now: float) -> float:
        """See `Source`."""
        if self._step:
            return 1.0
        if not self._blinks:
            return 0.0
        if self._began is None:
            self._began = now
        blinks = int((now - self._began) / BLINK_S)
        if blinks == self._shown:
            return 0.0
        self._shown, self._on = blinks, blinks % 2 == 0
        return CARET[2] * CARET[3] / (WIDTH * HEIGHT)

    def take(self, limits: Limits, *, whole: bool) -> av.VideoFrame | None:
        """See `Source`."""
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        luma = view_plane(frame, 0)
        np.copyto(luma, self._luma[self._at : self._at + HEIGHT])
        for index, plane in ((1, self._blue), (2, self._red)):
            np.copyto(view_plane(frame, index), plane[self._at // 2 : (self._at + HEIGHT) // 2])
        if self._blinks and self._on:
            left, top, width, height = CARET
            luma[top : top + height, left : left + width] = _INK
        self._at = (self._at + self._step) % (_TALL - HEIGHT)
        return shrink(frame, limits)

    def close(self) -> None:
        """See `Source`."""


def _read_id(source_id: str) -> tuple[int, bool]:
    """(pixels a picture, blinks)."""
    if source_id in ("", "still"):
        return 0, True
    if source_id == "blank":
        return 0, False
    name, _, number = source_id.partition("=")
    if name != "scroll" or not number.isdecimal() or not 0 < int(number) < HEIGHT:
        raise ShareEnded("none", "There is no such generated page.")
    return int(number), False


@functools.cache
def draw_page() -> tuple[Plane, Plane, Plane]:
    """The whole page: luma (4320, 1920) and two chromas of half of it; its end is its beginning."""
    chance = np.random.default_rng(_SEED)
    glyphs = [_glyph(chance) for _ in range(_GLYPHS)]
    luma = np.full((_TALL, WIDTH), _PAPER, np.uint8)
    blue, red = (np.full((_TALL // 2, WIDTH // 2), 128, np.uint8) for _ in range(2))
    top = _LINE
    while top + 2 * _LINE < _TALL - HEIGHT:
        kind = chance.random()
        if kind < 0.06:
            top += _LINE
        elif kind < 0.12:
            large = [np.repeat(np.repeat(each, 2, 0), 2, 1) for each in glyphs]
            _write(luma[top : top + 2 * _LINE], large, chance, 0.3)
            top += 2 * _LINE
        else:
            width = _write(luma[top : top + _LINE], glyphs, chance, 0.4 + 0.6 * chance.random())
            if kind > 0.9:  # a line in colour, as links and code are
                band = slice(top // 2, (top + _LINE) // 2), slice(_MARGIN // 2, width // 2)
                blue[band], red[band] = chance.integers(90, 170, 2)
            top += _LINE
    for plane, rows in ((luma, HEIGHT), (blue, HEIGHT // 2), (red, HEIGHT // 2)):
        plane[-rows:] = plane[:rows]
        plane.flags.writeable = False
    return luma, blue, red


def _glyph(chance: np.random.Generator) -> Plane:
    """Three to five strokes, with the grey edges that a font has; how much ink of 255."""
    tall, wide = _GLYPH
    ink = np.zeros((4 * tall, 4 * wide), np.float32)
    for _ in range(chance.integers(3, 6)):
        ends = chance.uniform((8, 2), (4 * tall - 10, 4 * wide - 6), (2, 2))
        if chance.random() < 0.7:  # most strokes of letters stand or lie
            along = chance.integers(2)
            ends[1, along] = ends[0, along]
        for part in np.linspace(0, 1, 80):
            row, column = (ends[0] * (1 - part) + ends[1] * part).astype(int)
            ink[row : row + 4, column : column + 4] = 255
    small: Plane = ink.reshape(tall, 4, wide, 4).mean(axis=(1, 3)).astype(np.uint8)
    return small


def _write(line: Plane, glyphs: list[Plane], chance: np.random.Generator, share: float) -> int:
    """Words along a line, over `share` of it; where they end."""
    tall, wide = glyphs[0].shape
    at, end = _MARGIN, _MARGIN + int((WIDTH - 2 * _MARGIN) * share)
    while at + wide < end:
        if chance.random() < 0.17:
            at += wide
            continue
        ink = glyphs[chance.integers(len(glyphs))].astype(np.uint16)
        line[:tall, at : at + wide] = _PAPER - ink * (_PAPER - _INK) // 255
        at += wide + 1
    return at
