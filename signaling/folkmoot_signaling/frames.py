"""WebSocket frames from a server (RFC 6455, section 5.2): whole, not masked."""

from __future__ import annotations

import struct
from typing import Final

from folkmoot.protocol.signaling import Control, write_control

_SHORT: Final = struct.Struct("!BB")
_MEDIUM: Final = struct.Struct("!BBH")
_LONG: Final = struct.Struct("!BBQ")
_BINARY: Final = 0x82
PING: Final = b"\x89\x00"
_CLOSE: Final = 0x88
_PONG: Final = 0x8A


def head(size: int, first: int = _BINARY) -> bytes:
    """What stands before `size` bytes."""
    if size < 126:
        return _SHORT.pack(first, size)
    if size < 65536:
        return _MEDIUM.pack(first, 126, size)
    return _LONG.pack(first, 127, size)


def control_frame(message: Control) -> bytes:
    """A control message as it goes to the transport."""
    data = write_control(message)
    return head(len(data)) + data


def close_frame(code: int) -> bytes:
    """The end, with the reason of RFC 6455, section 7.4."""
    return head(2, _CLOSE) + code.to_bytes(2, "big")


def pong_frame(data: bytes) -> bytes:
    """The answer to a ping of at most 125 bytes."""
    return head(len(data), _PONG) + data
