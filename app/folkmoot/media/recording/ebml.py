"""EBML (RFC 8794): elements as bytes. Pure; refuses nothing, its callers know what they write."""

from __future__ import annotations

import struct

VOID = 0xEC
UNKNOWN = b"\x01" + b"\xff" * 7
"""The size of an element that goes on to the end of the file."""


def element(number: int, *parts: bytes) -> bytes:
    """An element with its size in as few bytes as it takes."""
    body = b"".join(parts)
    return _number(number) + size(len(body)) + body


def wide(number: int, *parts: bytes) -> bytes:
    """An element whose size takes eight bytes, so that it can be written over by another."""
    body = b"".join(parts)
    return _number(number) + wide_size(len(body)) + body


def void(total: int) -> bytes:
    """Space of `total` bytes, at least 9, that readers skip."""
    return _number(VOID) + wide_size(total - 9) + bytes(total - 9)


def unsigned(number: int, value: int) -> bytes:
    """An element with an unsigned number."""
    return element(number, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def real(number: int, value: float) -> bytes:
    """An element with a number of 64 bits."""
    return element(number, struct.pack(">d", value))


def text(number: int, value: str) -> bytes:
    """An element with words."""
    return element(number, value.encode())


def size(count: int) -> bytes:
    """The size of an element."""
    for width in range(1, 9):
        if count < (1 << 7 * width) - 1:
            return (count | 1 << 7 * width).to_bytes(width, "big")
    raise ValueError(f"an element of {count} bytes is too long")


def wide_size(count: int) -> bytes:
    """The size of an element, in eight bytes."""
    return (count | 1 << 56).to_bytes(8, "big")


def _number(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
