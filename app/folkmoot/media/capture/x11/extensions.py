"""The requests of extensions that capture needs: Damage, XFixes, Composite, Shape and RandR.

Refuses to be without Damage and XFixes where changes are asked for: see `Damage.open`.

Sources: damageproto 1.1, fixesproto 5.0, compositeproto 0.4, shapeproto 1.1, randrproto 1.5.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folkmoot.media.capture.boxes import Box
from folkmoot.media.capture.x11 import requests as core
from folkmoot.media.capture.x11.connection import Connection, XError

_NON_EMPTY = 3
_AUTOMATIC = 0
_BOUNDING = 0
_CURSOR_SHAPE = 1


class Damage:
    """Tells which parts of a drawable, and of what is in it, were painted."""

    def __init__(self, connection: Connection, drawable: int) -> None:
        """Raises `XError` when the drawable or an extension is not there."""
        self._c = connection
        self._damage, fixes = connection.extension("DAMAGE"), connection.extension("XFIXES")
        if self._damage is None or fixes is None:
            raise XError(0)
        self._fixes = fixes
        connection.ask(self._damage.opcode, 0, struct.pack("=II", 1, 1))
        connection.ask(fixes.opcode, 0, struct.pack("=II", 5, 0))
        self._id, self._region = connection.new_id(), connection.new_id()
        connection.send(fixes.opcode, 5, struct.pack("=I", self._region))
        body = struct.pack("=IIB3x", self._id, drawable, _NON_EMPTY)
        connection.check(self._damage.opcode, 1, body)
        self.event = self._damage.first_event
        self.take()  # a new one begins with all

    def is_told(self, event: bytes) -> bool:
        """Whether this event says that something was painted since the last `take`."""
        return event[0] & 0x7F == self.event and event[8:12] == struct.pack("=I", self._id)

    def take(self) -> list[Box]:
        """What was painted since the last call, in pixels of the drawable."""
        assert self._damage is not None
        body = struct.pack("=III", self._id, 0, self._region)
        self._c.send(self._damage.opcode, 3, body)
        reply = self._c.ask(self._fixes.opcode, 19, struct.pack("=I", self._region))
        return list(core.read_boxes(reply, struct.unpack_from("=I", reply, 4)[0] // 2))

    def close(self) -> None:
        """Watch no more."""
        assert self._damage is not None
        self._c.send(self._damage.opcode, 2, struct.pack("=I", self._id))
        self._c.send(self._fixes.opcode, 10, struct.pack("=I", self._region))


@dataclass(frozen=True, slots=True)
class CursorImage:
    """`pixels` (height, width, 4): blue, green, red, cover; colours multiplied by the cover.
    `hot` is the point of it that points."""

    pixels: NDArray[np.uint8]
    hot: tuple[int, int]


class Cursor:
    """The picture of the mouse pointer."""

    def __init__(self, connection: Connection, root: int) -> None:
        """Raises `XError` where the server has no XFixes."""
        self._c = connection
        fixes = connection.extension("XFIXES")
        if fixes is None:
            raise XError(0)
        self._fixes = fixes
        connection.ask(fixes.opcode, 0, struct.pack("=II", 5, 0))
        connection.send(fixes.opcode, 3, struct.pack("=II", root, _CURSOR_SHAPE))

    def is_told(self, event: bytes) -> bool:
        """Whether this event says that there is another picture."""
        return event[0] & 0x7F == self._fixes.first_event + 1

    def take(self) -> CursorImage:
        """The picture now."""
        reply = self._c.ask(self._fixes.opcode, 4)
        width, height, left, top = struct.unpack_from("=HHHH", reply, 12)
        count = width * height * 4
        pixels = np.frombuffer(reply, np.uint8, count, 32).reshape(height, width, 4)
        return CursorImage(pixels, (left, top))


def redirect(connection: Connection, window: int) -> int:
    """Give a window pixels of its own, as long as the connection lasts; returns the opcode.

    Raises `XError` 0 where the server cannot.
    """
    composite = connection.extension("Composite")
    if composite is None:
        raise XError(0)
    connection.ask(composite.opcode, 0, struct.pack("=II", 0, 4))
    connection.check(composite.opcode, 1, struct.pack("=IB3x", window, _AUTOMATIC))
    return composite.opcode


def unredirect(connection: Connection, opcode: int, window: int) -> None:
    """Take what `redirect` gave."""
    connection.send(opcode, 3, struct.pack("=IB3x", window, _AUTOMATIC))


def name_pixmap(connection: Connection, opcode: int, window: int) -> int:
    """The pixels of a window that is redirected and viewable, until it changes its size."""
    pixmap = connection.new_id()
    connection.check(opcode, 6, struct.pack("=II", window, pixmap))
    return pixmap


def get_shape(connection: Connection, window: int) -> list[Box]:
    """What a window covers, in its pixels; most are one rectangle. Empty: it is not shaped."""
    shape = connection.extension("SHAPE")
    if shape is None:
        return []
    reply = connection.ask(shape.opcode, 8, struct.pack("=IB3x", window, _BOUNDING))
    return list(core.read_boxes(reply, struct.unpack_from("=I", reply, 8)[0]))


def get_monitors(connection: Connection) -> list[tuple[str, Box]]:
    """(name, place) of each monitor, the main one first; empty where the server cannot tell."""
    randr = connection.extension("RANDR")
    if randr is None:
        return []
    try:
        connection.ask(randr.opcode, 0, struct.pack("=II", 1, 5))
        reply = connection.ask(randr.opcode, 42, struct.pack("=IB3x", connection.screen.root, 1))
    except XError:
        return []
    found, at = [], 32
    for _ in range(struct.unpack_from("=I", reply, 12)[0]):
        name, primary, _, outputs = struct.unpack_from("=IBBH", reply, at)
        place = struct.unpack_from("=hhHH", reply, at + 8)
        found.append((not primary, _atom_name(connection, name), place))
        at += 24 + 4 * outputs
    found.sort(key=lambda each: each[0])
    return [(name, place) for _, name, place in found if place[2] and place[3]]


def _atom_name(connection: Connection, atom: int) -> str:
    reply = connection.ask(17, 0, struct.pack("=I", atom))
    length = struct.unpack_from("=H", reply, 8)[0]
    return reply[32 : 32 + length].decode("latin-1")
