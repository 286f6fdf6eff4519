"""What nodes of one server say on each other's channel: a head, then one record after the other.

Head: version (1), name of the node that speaks (16 hexadecimal digits). Record: kind (1), length of
the body (4), body. Epochs are 16 decimal digits, so that scripts in Redis compare them as they are.
Whoever can write to Redis can say anything here; what is no message is refused whole.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import MAX_RELAYED_BYTES, RELAY, RELAY_HEADER_BYTES

VERSION: Final = b"\x01"
NODE_BYTES: Final = 16
EPOCH_BYTES: Final = 16
HEAD_BYTES: Final = 1 + NODE_BYTES
DEVICE_BYTES: Final = 32
TAG_BYTES: Final = 16
FRAME, ROOM, LOGIN, GONE, MAIL, BEAT, QUIT = (b"F", b"R", b"L", b"G", b"M", b"B", b"Q")
_FRAME: Final = FRAME[0]
_RECORD: Final = struct.Struct("!cI")
_LENGTH: Final = struct.Struct("!I")
_PLACE_BYTES: Final = 1 + DEVICE_BYTES + EPOCH_BYTES
_SHORTEST: Final = DEVICE_BYTES + RELAY_HEADER_BYTES
_LONGEST: Final = _SHORTEST + MAX_RELAYED_BYTES
_SIZES: Final = {
    LOGIN: DEVICE_BYTES + EPOCH_BYTES,
    GONE: 2 * DEVICE_BYTES,
    MAIL: DEVICE_BYTES,
}


class RoomPart(NamedTuple):
    """Who of a node came under a tag or went: (came, device, epoch)."""

    tag: bytes
    changes: list[tuple[bool, DeviceId, int]]


class Heard(NamedTuple):
    """A message: who speaks, relayed frames as (destination, frame), and the other records."""

    node: bytes
    frames: list[tuple[bytes, bytes]]
    records: list[tuple[bytes, bytes]]


def write_record(kind: bytes, body: bytes) -> bytes:
    """One record."""
    return _RECORD.pack(kind, len(body)) + body


def write_frame(destination: bytes, frame: bytes) -> bytes:
    """The record of a relayed frame."""
    return _RECORD.pack(FRAME, DEVICE_BYTES + len(frame)) + destination + frame


def write_epoch(epoch: int) -> bytes:
    """An epoch as it stands in Redis."""
    return b"%016d" % epoch


def read_epoch(text: bytes) -> int:
    """An epoch from Redis. Raises ValueError."""
    if len(text) != EPOCH_BYTES or not text.isdigit():
        raise ValueError("no epoch")
    return int(text)


def read_message(data: bytes) -> Heard:
    """Take a message apart. Raises ValueError."""
    if len(data) < HEAD_BYTES or data[:1] != VERSION:
        raise ValueError("not a message of a node")
    frames: list[tuple[bytes, bytes]] = []
    records: list[tuple[bytes, bytes]] = []
    at, end = HEAD_BYTES, len(data)
    while at < end:
        if end - at < 5:
            raise ValueError("a record is cut off")
        begin = at + 5
        stop = begin + _LENGTH.unpack_from(data, at + 1)[0]
        if stop > end:
            raise ValueError("a record is cut off")
        if data[at] == _FRAME:
            if not _SHORTEST < stop - begin <= _LONGEST or data[begin + DEVICE_BYTES] != RELAY:
                raise ValueError("no relayed frame")
            middle = begin + DEVICE_BYTES
            frames.append((data[begin:middle], data[middle:stop]))
        else:
            kind = data[at : at + 1]
            if stop - begin != _SIZES.get(kind, stop - begin):
                raise ValueError("a record of a wrong size")
            records.append((kind, data[begin:stop]))
        at = stop
    return Heard(data[1:HEAD_BYTES], frames, records)


def read_room(body: bytes) -> RoomPart:
    """The record of a room. Raises ValueError."""
    if len(body) < TAG_BYTES or (len(body) - TAG_BYTES) % _PLACE_BYTES:
        raise ValueError("a room of a wrong size")
    changes = []
    for at in range(TAG_BYTES, len(body), _PLACE_BYTES):
        sign = body[at : at + 1]
        if sign not in (b"+", b"-"):
            raise ValueError("neither came nor went")
        device, epoch = read_login(body[at + 1 : at + _PLACE_BYTES])
        changes.append((sign == b"+", device, epoch))
    return RoomPart(body[:TAG_BYTES], changes)


def read_login(body: bytes) -> tuple[DeviceId, int]:
    """A device and its epoch. Raises ValueError."""
    return DeviceId(body[:DEVICE_BYTES]), read_epoch(body[DEVICE_BYTES:])
