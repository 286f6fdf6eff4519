"""A time stamp that a program can read from a picture, also a scaled and compressed one.

Three rows of 32 blocks, black or white, below the top edge: 48 bits of microseconds of the
monotonic clock, 32 bits of a frame number, 16 bits of check. A block is 1/34 of the width and 1/18
of the height, so 9 by 10 pixels in a picture of 320 by 180. Refuses (`None`) what fails the check.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from folkmoot.media.devices.planes import view_plane

COLUMNS, ROWS = 34, 18
_BITS = 32
LINES = 3
_BLACK, _WHITE = 16, 235
_MASK = 2**48 - 1


@dataclass(frozen=True, slots=True)
class Stamp:
    """`micros`: monotonic clock of the computer that drew it, modulo 2**48. `number`: of 2**32."""

    micros: int
    number: int


def write_stamp(luma: NDArray[np.uint8], micros: int, number: int) -> None:
    """Draw a stamp into the luma plane `luma` of (height, width)."""
    height, width = luma.shape
    body = (micros & _MASK).to_bytes(6, "big") + (number & 0xFFFFFFFF).to_bytes(4, "big")
    check = zlib.crc32(body) & 0xFFFF
    bits = np.unpackbits(np.frombuffer(body + check.to_bytes(2, "big"), np.uint8))
    colours = np.where(bits, _WHITE, _BLACK).astype(np.uint8).reshape(LINES, _BITS)
    xs = np.arange(width) * COLUMNS // width - 1
    first, last = np.searchsorted(xs, 0), np.searchsorted(xs, _BITS)
    for line in range(LINES):
        top, bottom = (height * (line + 1)) // ROWS, (height * (line + 2)) // ROWS
        luma[top:bottom, first:last] = colours[line, xs[first:last]]


def read_stamp(picture: av.VideoFrame | NDArray[Any]) -> Stamp | None:
    """The stamp of a whole picture, mirrored or not; None if there is none.

    An array is luma (height, width), or packed colours (height, width, 3 or 4).
    """
    luma = _luma(picture)
    height, width = luma.shape
    if height < ROWS * 4 or width < COLUMNS * 4:
        return None
    values = np.empty((LINES, _BITS), np.float32)
    for line in range(LINES):
        rows = _middle(line + 1, ROWS, height)
        strip = luma[rows].mean(axis=0)
        for bit in range(_BITS):
            values[line, bit] = strip[_middle(bit + 1, COLUMNS, width)].mean()
    bits = values > (_BLACK + _WHITE) / 2
    return _check(bits) or _check(bits[:, ::-1])


def _middle(index: int, count: int, size: int) -> slice:
    """The inner half of a block, where scaling and ringing reach least."""
    start, end = size * index / count, size * (index + 1) / count
    quarter = (end - start) / 4
    return slice(round(start + quarter), max(round(end - quarter), round(start + quarter) + 1))


def _check(bits: NDArray[np.bool_]) -> Stamp | None:
    data = np.packbits(bits).tobytes()
    body, check = data[:10], int.from_bytes(data[10:], "big")
    if zlib.crc32(body) & 0xFFFF != check:
        return None
    return Stamp(int.from_bytes(body[:6], "big"), int.from_bytes(body[6:], "big"))


def _luma(picture: av.VideoFrame | NDArray[Any]) -> NDArray[np.uint8]:
    if isinstance(picture, av.VideoFrame):
        if not picture.format.name.startswith(("yuv", "nv", "gray")):
            picture = picture.reformat(format="gray")
        return view_plane(picture, 0)
    if picture.ndim == 3:
        return picture[:, :, 1]  # green is most of the luma, and blocks are black or white
    return picture
