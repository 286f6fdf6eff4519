"""Canonical msgpack: one sequence of bytes per value, and nothing read beyond its bounds.

Allowed are nil, bool, integers from 0 to 2^63 - 1, UTF-8 strings, binary and arrays, each in its
shortest form. Refused are maps, floats, extensions, negative numbers, nesting deeper than eight,
counts beyond the bytes that are there, trailing bytes, and whatever does not re-encode to the same
bytes. The shape is walked before anything is built, so a claim of a huge array costs nothing.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

import msgspec

from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId

MAX_NESTING = 8
MAX_ITEMS = 10_000
"""Of all arrays of one value together: walking a frame takes a few milliseconds at most."""
MAX_INTEGER = 2**63 - 1

T = TypeVar("T")

_ID = msgspec.Meta(min_length=32, max_length=32)
Bytes32 = Annotated[bytes, _ID]
Person32 = Annotated[PersonId, _ID]
Device32 = Annotated[DeviceId, _ID]
Entry32 = Annotated[EntryId, _ID]
Conversation32 = Annotated[ConversationId, _ID]
Signature64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Natural = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]

_ARRAY, _ITEMS, _SKIP, _LENGTH, _WIDE, _REFUSED = range(6)


def _first_bytes() -> tuple[tuple[int, int], ...]:
    """What each first byte announces, and a count, a size or the width of the field with it."""
    table = [(_REFUSED, 0)] * 256
    for byte in range(0x80):
        table[byte] = (_SKIP, 0)
    for byte in range(0x90, 0xA0):
        table[byte] = (_ARRAY, byte & 0x0F)
    for byte in range(0xA0, 0xC0):
        table[byte] = (_SKIP, byte & 0x1F)
    for byte in (0xC0, 0xC2, 0xC3):
        table[byte] = (_SKIP, 0)
    for byte, width in ((0xC4, 1), (0xC5, 2), (0xC6, 4), (0xD9, 1), (0xDA, 2), (0xDB, 4)):
        table[byte] = (_LENGTH, width)
    for byte, width in ((0xCC, 1), (0xCD, 2), (0xCE, 4)):
        table[byte] = (_SKIP, width)
    table[0xCF] = (_WIDE, 8)
    table[0xDC] = (_ITEMS, 2)
    table[0xDD] = (_ITEMS, 4)
    return tuple(table)


_TABLE = _first_bytes()


def check_shape(data: bytes, limit: int) -> None:
    """Walk one value without building it. Raises `PeerError` ``too_large``, ``not_canonical``."""
    end = len(data)
    if end > limit:
        raise PeerError("too_large", f"{end} bytes where {limit} are allowed")
    at, left, items = 0, 1, 0
    outer: list[int] = []
    while left or outer:
        if not left:
            left = outer.pop()
            continue
        if at >= end:
            raise PeerError("not_canonical", "the value is cut short")
        what, size = _TABLE[data[at]]
        at += 1
        left -= 1
        if what == _SKIP:
            at += size
        elif what == _LENGTH:
            at += size + int.from_bytes(data[at : at + size], "big")
        elif what == _WIDE and at < end and data[at] < 0x80:
            at += size
        elif what <= _ITEMS:
            if what == _ITEMS:
                size, at = int.from_bytes(data[at : at + size], "big"), at + size
            if len(outer) >= MAX_NESTING or size > end - at:
                raise PeerError("not_canonical", "an array is too deep or longer than its bytes")
            items += size
            if items > MAX_ITEMS:
                raise PeerError("too_large", f"more than {MAX_ITEMS} items in one value")
            outer.append(left)
            left = size
        else:
            raise PeerError("not_canonical", f"type byte {data[at - 1]:#04x} is not allowed")
    if at != end:
        raise PeerError("not_canonical", "the value does not end where its bytes end")


def pack(value: object) -> bytes:
    """`value` in canonical form; array-like structs of msgspec are arrays."""
    return msgspec.msgpack.encode(value)


class Reader(Generic[T]):
    """Reads bytes as one type; `code` is the `PeerError` for a canonical value of another shape."""

    def __init__(self, shape: Any, code: str) -> None:
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(shape)
        self._code = code

    def read(self, data: bytes, limit: int) -> T:
        """The value in at most `limit` bytes.

        Raises `PeerError` ``too_large``, ``not_canonical`` or the reader's code.
        """
        check_shape(data, limit)
        value = self.convert(data)
        if pack(value) != data:
            raise PeerError("not_canonical", "the value is not in its shortest form")
        return value

    def convert(self, data: bytes) -> T:
        """The value, without a look at its form and at fields after those of the shape.

        For bytes whose shape was walked, or for a shape in which every array has a greatest length.
        """
        try:
            return self._decoder.decode(data)
        except msgspec.ValidationError as error:
            raise PeerError(self._code, str(error)) from error
        except (msgspec.DecodeError, ValueError) as error:
            raise PeerError("not_canonical", str(error)) from error


_ANYTHING: Reader[Any] = Reader(Any, "not_canonical")


def unpack(data: bytes, limit: int) -> Any:
    """One value as plain lists, strings, bytes and numbers; raises like `Reader.read`."""
    return _ANYTHING.read(data, limit)
