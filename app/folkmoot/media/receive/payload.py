"""What a video payload says about itself: VP8 (RFC 7741) and H264 (RFC 6184).

Owns the parsing of descriptors, with every length checked before it is used. Refuses what it does
not know (`ValueError`); the picture itself is the decoder's business.
"""

from __future__ import annotations

from dataclasses import dataclass

_START = b"\x00\x00\x00\x01"


@dataclass(frozen=True, slots=True)
class Piece:
    """One packet's part of a frame; `data` is what the decoder gets."""

    data: bytes
    begins: bool
    key: bool
    droppable: bool = False
    base_index: int | None = None
    layer: int = 0


def parse(codec: str, payload: bytes) -> Piece:
    """The piece in `payload` of `codec` (``VP8`` or ``H264``). Raises `ValueError`."""
    try:
        return _vp8(payload) if codec == "VP8" else _h264(payload)
    except IndexError:
        raise ValueError("a payload that is cut short") from None


def _vp8(payload: bytes) -> Piece:
    first = payload[0]
    at = 1
    base_index, layer = None, 0
    if first & 0x80:
        flags = payload[1]
        at = 2
        if flags & 0x80:
            at += 2 if payload[at] & 0x80 else 1
        if flags & 0x40:
            base_index = payload[at]
            at += 1
        if flags & 0x30:
            layer = payload[at] >> 6 if flags & 0x20 else 0
            at += 1
    begins = bool(first & 0x10) and not first & 0x07
    key = begins and not payload[at] & 0x01
    # Bit N: no other frame refers to this one.
    return Piece(payload[at:], begins, key, bool(first & 0x20), base_index, layer)


def _h264(payload: bytes) -> Piece:
    kind = payload[0] & 0x1F
    if 1 <= kind < 24:
        return Piece(_START + payload, True, kind in (5, 7))
    if kind == 28:
        return _fragment(payload)
    if kind == 24:
        return _aggregate(payload)
    raise ValueError("a kind of H264 packet that is not understood")


def _fragment(payload: bytes) -> Piece:
    head = payload[1]
    if not head & 0x80:
        return Piece(payload[2:], False, False)
    unit = bytes((payload[0] & 0xE0 | head & 0x1F,))
    return Piece(_START + unit + payload[2:], True, head & 0x1F == 5)


def _aggregate(payload: bytes) -> Piece:
    parts: list[bytes] = []
    key, at = False, 1
    while at + 2 <= len(payload):
        size = int.from_bytes(payload[at : at + 2], "big")
        unit = payload[at + 2 : at + 2 + size]
        if not size or len(unit) < size:
            raise ValueError("an aggregate that is cut short")
        key = key or unit[0] & 0x1F in (5, 7)
        parts += (_START, unit)
        at += 2 + size
    if not parts:
        raise ValueError("an empty aggregate")
    return Piece(b"".join(parts), True, key)
