"""The generated picture: a landscape that pans, balls that fly through it, and a time stamp.

Everything is drawn once at the start; a frame is copies of it. Refuses nothing.
"""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

from folkmoot.media.devices.planes import Plane, view_plane
from folkmoot.media.devices.stamp import LINES, ROWS, write_stamp

_PAN = 4
"""Luma pixels a frame."""
_SEED = 20
_SKY = (64, 98, 134), (244, 196, 148)
"""Red, green, blue at the top and at the bottom."""
_HILLS = (116, 132, 138), (74, 108, 104), (46, 86, 74), (30, 58, 50)
"""From the farthest to the nearest."""
_BALLS = (225, 100, 158), (150, 110, 200), (190, 160, 70)
"""Luma and the two chromas of each."""


class Pattern:
    """Makes frames of one size; both sides are even."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        chance = np.random.default_rng(_SEED)
        self._luma, *self._chroma = _landscape(chance, width * 2, height)
        self._neutral = slice(height // (2 * ROWS), height * (LINES + 1) // (2 * ROWS) + 1)
        size = max(8, height // 8) & ~1
        self._disc = _disc(size)
        self._half_disc = self._disc[::2, ::2]
        self._speed = chance.uniform(2.0, 7.0, (len(_BALLS), 2)) * height / 720

    def draw(self, number: int, micros: int) -> av.VideoFrame:
        """Frame `number` in yuv420p, stamped with `micros` of the monotonic clock."""
        frame = av.VideoFrame(self.width, self.height, "yuv420p")
        luma, blue, red = (view_plane(frame, index) for index in range(3))
        at = _swing(number * _PAN, self.width) & ~1
        np.copyto(luma, self._luma[:, at : at + self.width])
        for plane, source in ((blue, self._chroma[0]), (red, self._chroma[1])):
            np.copyto(plane, source[:, at // 2 : at // 2 + self.width // 2])
        size = len(self._disc)
        for ball, colour in enumerate(_BALLS):
            x = _swing(int(number * self._speed[ball, 0]) + ball * 97, self.width - size) & ~1
            y = _swing(int(number * self._speed[ball, 1]) + ball * 61, self.height - size) & ~1
            luma[y : y + size, x : x + size][self._disc] = colour[0]
            half = slice(y // 2, y // 2 + size // 2), slice(x // 2, x // 2 + size // 2)
            blue[half][self._half_disc] = colour[1]
            red[half][self._half_disc] = colour[2]
        write_stamp(luma, micros, number)
        blue[self._neutral] = red[self._neutral] = 128  # the stamp is black and white
        return frame


def _swing(at: int, span: int) -> int:
    """To and fro between 0 and `span`."""
    span = max(1, span)
    at %= 2 * span
    return at if at < span else 2 * span - at


def _landscape(chance: np.random.Generator, width: int, height: int) -> list[Plane]:
    """An evening sky over hills, with a fine grain as a camera's picture has; three planes."""
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    top, bottom = (np.array(colour, np.float32) for colour in _SKY)
    picture = (1 - down) * top + down * bottom
    picture = np.repeat(picture, width, axis=1)
    across = np.arange(width) / height
    rows = np.arange(height)[:, None]
    for place, colour in enumerate(_HILLS):
        ridge = np.full(width, 0.45 + 0.14 * place)
        for wave in range(1, 6):
            phase, steep = chance.uniform(0, 6.28), chance.uniform(0.5, 1.5)
            ridge += np.sin(across * wave * steep * 2.2 + phase) * 0.05 / wave
        hill = rows >= ridge * height
        light = 1 + 0.25 * np.clip((rows / height - ridge) / 0.3, 0, 1)[..., None]
        light = light.astype(np.float32)
        texture = chance.standard_normal((height // 4 + 1, width // 4 + 1), np.float32)
        texture *= 4 + 4 * place
        rough = np.repeat(np.repeat(texture, 4, axis=0), 4, axis=1)[:height, :width, None]
        shade = np.array(colour, np.float32) * light + rough
        np.copyto(picture, shade, where=hill[..., None])
    picture += chance.integers(-3, 4, (height, width, 1), dtype=np.int8)
    colours = np.clip(picture, 0, 255, out=picture).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(colours, format="rgb24").reformat(format="yuv420p")
    return [view_plane(frame, index).copy() for index in range(3)]


def _disc(size: int) -> NDArray[np.bool_]:
    across = np.arange(size) - (size - 1) / 2
    inside: NDArray[np.bool_] = across[:, None] ** 2 + across[None, :] ** 2 < (size / 2) ** 2
    return inside
