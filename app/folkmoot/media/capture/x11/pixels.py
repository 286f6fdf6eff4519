"""The pixels of a drawable in memory that the server shares, or through the connection.

Owns the memory. Refuses depths that are not four bytes a pixel, blue first: `XError` 0.

Source: MIT-SHM, version 1.2.
"""

from __future__ import annotations

import ctypes
import functools
import struct
import sys
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.media.capture.x11 import requests as core
from folkmoot.media.capture.x11.connection import Connection, XError

_PRIVATE, _CREATE, _REMOVE = 0, 0o1000, 0
_MODE = 0o600
_FAILED = ctypes.c_void_p(-1).value


class Grabber:
    """Keeps a picture of (height, width, 4) and fetches rows of it."""

    def __init__(self, connection: Connection, width: int, height: int, depth: int) -> None:
        screen = connection.screen
        if screen.bits.get(depth) != 32 or not screen.little_endian:
            raise XError(0)
        self._c = connection
        self._memory = _share(connection, width * height * 4)
        if self._memory is None:
            self.pixels: NDArray[np.uint8] = np.zeros((height, width, 4), np.uint8)
        else:
            self.pixels = self._memory.array.reshape(height, width, 4)

    def fetch(self, drawable: int, left: int, top: int, rows: tuple[int, int]) -> None:
        """Get rows of the picture, whose corner is at `left`, `top` of the drawable.

        Raises `XError` when they are not there.
        """
        width = self.pixels.shape[1]
        box = left, top + rows[0], width, rows[1] - rows[0]
        if self._memory is not None:
            self._memory.fetch(drawable, box, rows[0] * width * 4)
            return
        data = core.get_image(self._c, drawable, box)
        taken = np.frombuffer(data, np.uint8, width * box[3] * 4)
        self.pixels[rows[0] : rows[1]] = taken.reshape(box[3], width, 4)

    def close(self) -> None:
        """Give the memory back; `pixels` may not be looked at any more."""
        self.pixels = np.zeros((0, 0, 4), np.uint8)
        if self._memory is not None:
            self._memory.close()
            self._memory = None


class _Segment:
    """Memory of System V that the server writes into."""

    def __init__(self, connection: Connection, opcode: int, libc: Any, size: int) -> None:
        self._c, self._opcode, self._libc = connection, opcode, libc
        number = libc.shmget(_PRIVATE, size, _CREATE | _MODE)
        if number < 0:
            raise OSError(ctypes.get_errno(), "no shared memory")
        self._address = libc.shmat(number, None, 0)
        try:
            if self._address == _FAILED:
                self._address = None
                raise OSError(ctypes.get_errno(), "no shared memory")
            self._id = connection.new_id()
            connection.check(opcode, 1, struct.pack("=IIB3x", self._id, number, 0))
        except BaseException:
            self._let_go()
            raise
        finally:
            # It lives until both have let it go, and no longer, whatever happens to this process.
            libc.shmctl(number, _REMOVE, None)
        held = (ctypes.c_uint8 * size).from_address(self._address)
        self.array: NDArray[np.uint8] = np.ctypeslib.as_array(held)

    def fetch(self, drawable: int, box: tuple[int, int, int, int], offset: int) -> None:
        body = struct.pack(
            "=IhhHHIB3xII", drawable, *box, 0xFFFFFFFF, core.Z_PIXMAP, self._id, offset
        )
        self._c.ask(self._opcode, 4, body)

    def close(self) -> None:
        self._c.send(self._opcode, 2, struct.pack("=I", self._id))
        self._let_go()

    def _let_go(self) -> None:
        if self._address is not None:
            self._libc.shmdt(self._address)
            self._address = None


def _share(connection: Connection, size: int) -> _Segment | None:
    """Memory that both see; None where the server is elsewhere or there is none."""
    extension = connection.extension("MIT-SHM")
    if extension is None or sys.platform == "win32":
        return None
    with suppress(OSError, XError):
        return _Segment(connection, extension.opcode, _load(), size)
    return None


@functools.cache
def _load() -> Any:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmget.argtypes = (ctypes.c_int, ctypes.c_size_t, ctypes.c_int)
    libc.shmat.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
    libc.shmat.restype = ctypes.c_void_p
    libc.shmdt.argtypes = (ctypes.c_void_p,)
    libc.shmctl.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
    return libc
