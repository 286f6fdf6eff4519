"""The requests of the core protocol that capture needs, with their replies as values.

Refuses nothing: a server's `XError` goes to the caller.

Source: X Window System Protocol, version 11, appendix B (encoding).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from folkmoot.media.capture.boxes import Box
from folkmoot.media.capture.x11.connection import Connection, XError

STRUCTURE_NOTIFY, SUBSTRUCTURE_NOTIFY, PROPERTY_CHANGE = 1 << 17, 1 << 19, 1 << 22
DESTROY_NOTIFY, UNMAP_NOTIFY, MAP_NOTIFY, REPARENT_NOTIFY, CONFIGURE_NOTIFY = 17, 18, 19, 21, 22
Z_PIXMAP = 2
SENT = 0x80
"""Bit of an event's kind: a client sent it, not the server."""
_MAX_PROPERTY = 65536
_EVENT_MASK = 1 << 11
_FOREGROUND, _GRAPHICS_EXPOSURES = 1 << 2, 1 << 16


@dataclass(frozen=True, slots=True)
class Attributes:
    """Of a window. `draws`: it is not one that only takes input."""

    draws: bool
    viewable: bool
    override_redirect: bool
    visual: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """Of a window in its parent: `box` with its border, which is `border` wide."""

    depth: int
    box: Box
    border: int

    @property
    def inner(self) -> tuple[int, int]:
        """Width and height without the border."""
        return self.box[2] - 2 * self.border, self.box[3] - 2 * self.border


@dataclass(frozen=True, slots=True)
class Place:
    """Of a window among the others: `children` from the lowest to the highest."""

    root: int
    parent: int
    children: tuple[int, ...]


def begin_attributes(connection: Connection, window: int) -> int:
    return connection.begin(3, 0, struct.pack("=I", window))


def read_attributes(reply: bytes) -> Attributes:
    visual, kind = struct.unpack_from("=IH", reply, 8)
    return Attributes(kind == 1, reply[26] == 2, bool(reply[27]), visual)


def get_attributes(connection: Connection, window: int) -> Attributes:
    """Whether and how a window shows."""
    return read_attributes(connection.wait(begin_attributes(connection, window)))


def begin_geometry(connection: Connection, drawable: int) -> int:
    return connection.begin(14, 0, struct.pack("=I", drawable))


def read_geometry(reply: bytes) -> Geometry:
    left, top, width, height, border = struct.unpack_from("=hhHHH", reply, 12)
    box = left, top, width + 2 * border, height + 2 * border
    return Geometry(reply[1], box, border)


def get_geometry(connection: Connection, drawable: int) -> Geometry:
    """Where a window is in its parent."""
    return read_geometry(connection.wait(begin_geometry(connection, drawable)))


def query_tree(connection: Connection, window: int) -> Place:
    """The windows around a window."""
    reply = connection.ask(15, 0, struct.pack("=I", window))
    root, parent, count = struct.unpack_from("=IIH", reply, 8)
    return Place(root, parent, struct.unpack_from(f"={count}I", reply, 32))


def get_property(connection: Connection, window: int, name: str) -> tuple[int, bytes]:
    """(bits of an item, bytes) of a property; (0, empty) where it is not set."""
    body = struct.pack("=IIIII", window, connection.atom(name), 0, 0, _MAX_PROPERTY // 4)
    reply = connection.ask(20, 0, body)
    items = struct.unpack_from("=I", reply, 16)[0]
    return reply[1], reply[32 : 32 + items * reply[1] // 8]


def get_numbers(connection: Connection, window: int, name: str) -> tuple[int, ...]:
    """The items of a property of 32 bits; empty where it is not such a one, or no window is."""
    try:
        bits, data = get_property(connection, window, name)
    except XError:
        return ()
    return struct.unpack(f"={len(data) // 4}I", data) if bits == 32 else ()


def get_text(connection: Connection, window: int, name: str) -> str:
    """The text of a property, in UTF-8 or Latin 1; empty where there is none."""
    try:
        bits, data = get_property(connection, window, name)
    except XError:
        return ""
    if bits != 8:
        return ""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def translate(connection: Connection, window: int, to: int) -> tuple[int, int]:
    """Where the corner of `window`, inside of its border, is in the window `to`."""
    reply = connection.ask(40, 0, struct.pack("=IIhh", window, to, 0, 0))
    across, down = struct.unpack_from("=hh", reply, 12)
    return across, down


def query_pointer(connection: Connection, window: int) -> tuple[int, int, int]:
    """(window under the pointer, child of `window`; left, top in `window`)."""
    reply = connection.ask(38, 0, struct.pack("=I", window))
    child, _, _, left, top = struct.unpack_from("=Ihhhh", reply, 12)
    return child, left, top


def select_events(connection: Connection, window: int, mask: int) -> None:
    """Ask for events of a window. Raises `XError` when it is not there."""
    connection.check(2, 0, struct.pack("=III", window, _EVENT_MASK, mask))


def grab_server(connection: Connection) -> None:
    """Hold every other client until `ungrab_server` or the end of the connection."""
    connection.send(36, 0)


def ungrab_server(connection: Connection) -> None:
    connection.send(37, 0)
    connection.flush()


def clear_area(connection: Connection, window: int, box: Box) -> None:
    """Paint the background of a part of a window and have its program paint it again."""
    connection.send(61, 1, struct.pack("=IhhHH", window, *box))


def fill(connection: Connection, drawable: int, colour: int, boxes: Iterable[Box]) -> None:
    """Fill parts of a drawable."""
    gc = connection.new_id()
    mask = _FOREGROUND | _GRAPHICS_EXPOSURES
    connection.send(55, 0, struct.pack("=IIIII", gc, drawable, mask, colour, 0))
    connection.send(70, 0, struct.pack("=II", drawable, gc) + pack_boxes(boxes))
    connection.send(60, 0, struct.pack("=I", gc))


def free_pixmap(connection: Connection, pixmap: int) -> None:
    connection.send(54, 0, struct.pack("=I", pixmap))


def get_image(connection: Connection, drawable: int, box: Box) -> bytes:
    """The pixels of a part of a drawable, row by row, through the connection."""
    return connection.ask(73, 2, struct.pack("=IhhHHI", drawable, *box, 0xFFFFFFFF))[32:]


def pack_boxes(boxes: Iterable[Box]) -> bytes:
    """Boxes as the protocol writes them; what does not fit its numbers is cut."""
    return b"".join(
        struct.pack("=hhHH", _short(left), _short(top), min(width, 65535), min(height, 65535))
        for left, top, width, height in boxes
    )


def read_boxes(reply: bytes, count: int) -> Sequence[Box]:
    """Boxes that stand after the head of a reply."""
    return [struct.unpack_from("=hhHH", reply, 32 + 8 * index) for index in range(count)]


def _short(number: int) -> int:
    return max(-32768, min(32767, number))
