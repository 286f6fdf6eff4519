"""One connection to an X server through `libxcb` by ctypes: bytes of requests in, replies out.

Owns the connection and its ids. Refuses to end the process: an error of a request is an `XError`
or nothing, a lost server is `DisplayLost`. Used by one thread.

Source: X Window System Protocol, version 11; `xcb.h` and `xcbext.h` of libxcb.
"""

from __future__ import annotations

import ctypes
import functools
import struct
from dataclasses import dataclass
from typing import Any

from folkmoot.domain.errors import EnvironmentFault

_CHECKED = 1
_GENERIC_EVENT = 35
_QUERY_EXTENSION, _INTERN_ATOM = 98, 16
_SETUP_BYTES, _SCREEN_BYTES = 40, 40


class DisplayLost(EnvironmentFault):
    """There is no X server, or no more."""


class XError(Exception):
    """The server refused a request. `code` is that of the protocol."""

    def __init__(self, code: int) -> None:
        super().__init__(f"X error {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Screen:
    """What the server says of its screen. `bits` of a pixel go by its depth."""

    root: int
    width: int
    height: int
    depth: int
    visual: int
    little_endian: bool
    bits: dict[int, int]


@dataclass(frozen=True, slots=True)
class Extension:
    """Where the server has put an extension."""

    opcode: int
    first_event: int


class _Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Request(ctypes.Structure):
    _fields_ = [
        ("count", ctypes.c_size_t),
        ("extension", ctypes.c_void_p),
        ("opcode", ctypes.c_uint8),
        ("is_void", ctypes.c_uint8),
    ]


class Connection:
    """A connection to `display` (``:0``). Raises `DisplayLost` when nobody answers."""

    def __init__(self, display: str) -> None:
        self._xcb, self._free = _load(), _load_free()
        number = ctypes.c_int(0)
        self._c = self._xcb.xcb_connect(display.encode(), ctypes.byref(number))
        self._extensions: dict[str, Extension | None] = {}
        self._atoms: dict[str, int] = {}
        try:
            self._check()
            self.screen = _read_setup(self._xcb.xcb_get_setup(self._c), number.value)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it; what was made through it goes with it."""
        if self._c:
            self._xcb.xcb_disconnect(self._c)
            self._c = None

    def new_id(self) -> int:
        """An id for a new thing."""
        made = int(self._xcb.xcb_generate_id(self._c))
        if made in (0, 0xFFFFFFFF):
            self._check()
            raise DisplayLost("no_display", "The display has no more ids.")
        return made

    def send(self, opcode: int, data: int, body: bytes = b"") -> None:
        """Queue a request without a reply; `data` is its second byte. Its error is not told."""
        self._send(opcode, data, body, is_void=True, flags=0)

    def ask(self, opcode: int, data: int, body: bytes = b"") -> bytes:
        """Make a request and wait for its reply. Raises `XError`."""
        return self.wait(self.begin(opcode, data, body))

    def begin(self, opcode: int, data: int, body: bytes = b"") -> int:
        """Queue a request that has a reply, to `wait` for later."""
        return self._send(opcode, data, body, is_void=False, flags=_CHECKED)

    def wait(self, sequence: int) -> bytes:
        """The reply of a request that `begin` queued. Raises `XError`."""
        error = ctypes.c_void_p()
        reply = self._xcb.xcb_wait_for_reply(self._c, sequence, ctypes.byref(error))
        if not reply:
            if error.value:
                raise XError(self._take(error.value, 32)[1])
            self._check()
            raise DisplayLost("no_display", "The display does not answer.")
        length = 32 + 4 * struct.unpack("=I", ctypes.string_at(reply + 4, 4))[0]
        return self._take(reply, length)

    def check(self, opcode: int, data: int, body: bytes = b"") -> None:
        """Make a request without a reply and wait until it is done. Raises `XError`."""
        sequence = self._send(opcode, data, body, is_void=True, flags=_CHECKED)
        error = self._xcb.xcb_request_check(self._c, sequence)
        if error:
            raise XError(self._take(error, 32)[1])
        self._check()

    def events(self) -> list[bytes]:
        """What happened since the last call, 32 bytes each; never blocks."""
        found = []
        while event := self._xcb.xcb_poll_for_event(self._c):
            data = self._take(event, 32)
            if data[0] & 0x7F not in (0, _GENERIC_EVENT):
                found.append(data)
        self._check()
        return found

    def flush(self) -> None:
        """Send what is queued."""
        self._xcb.xcb_flush(self._c)

    def extension(self, name: str) -> Extension | None:
        """An extension by the name of the protocol; None where the server lacks it."""
        if name not in self._extensions:
            body = struct.pack("=HH", len(name), 0) + padded(name.encode())
            reply = self.ask(_QUERY_EXTENSION, 0, body)
            there = Extension(reply[9], reply[10]) if reply[8] else None
            self._extensions[name] = there
        return self._extensions[name]

    def atom(self, name: str) -> int:
        """The number of a name."""
        if name not in self._atoms:
            body = struct.pack("=HH", len(name), 0) + padded(name.encode())
            self._atoms[name] = struct.unpack_from("=I", self.ask(_INTERN_ATOM, 0, body), 8)[0]
        return self._atoms[name]

    def _send(self, opcode: int, data: int, body: bytes, *, is_void: bool, flags: int) -> int:
        text = ctypes.create_string_buffer(bytes((opcode, data, 0, 0)) + body, 4 + len(body))
        # libxcb writes into the two vectors before the first one that it is given.
        vectors = (_Vector * 3)()
        vectors[2] = _Vector(ctypes.addressof(text), 4 + len(body))
        request = _Request(1, None, opcode, is_void)
        first = ctypes.byref(vectors, 2 * ctypes.sizeof(_Vector))
        sequence = int(self._xcb.xcb_send_request(self._c, flags, first, ctypes.byref(request)))
        if not sequence:
            self._check()
        return sequence

    def _take(self, address: int, length: int) -> bytes:
        data = ctypes.string_at(address, length)
        self._free(address)
        return data

    def _check(self) -> None:
        if not self._c or self._xcb.xcb_connection_has_error(self._c):
            raise DisplayLost("no_display", "The display does not answer.")


def padded(data: bytes) -> bytes:
    """`data` filled to a multiple of four bytes."""
    return data + bytes(-len(data) % 4)


def _read_setup(address: int, number: int) -> Screen:
    length = 8 + 4 * struct.unpack("=H", ctypes.string_at(address + 6, 2))[0]
    data = ctypes.string_at(address, length)
    (vendor,) = struct.unpack_from("=H", data, 24)
    roots, formats, byte_order = struct.unpack_from("=BBB", data, 28)
    at = _SETUP_BYTES + vendor + (-vendor % 4)
    bits = {}
    for _ in range(formats):
        bits[data[at]] = data[at + 1]
        at += 8
    for _ in range(min(number, roots - 1)):
        at = _after_screen(data, at)
    (root,) = struct.unpack_from("=I", data, at)
    width, height = struct.unpack_from("=HH", data, at + 20)
    (visual,) = struct.unpack_from("=I", data, at + 32)
    return Screen(root, width, height, data[at + 38], visual, byte_order == 0, bits)


def _after_screen(data: bytes, at: int) -> int:
    depths = data[at + 39]
    at += _SCREEN_BYTES
    for _ in range(depths):
        (visuals,) = struct.unpack_from("=H", data, at + 2)
        at += 8 + 24 * visuals
    return at


@functools.cache
def _load_free() -> Any:
    free = ctypes.CDLL(None).free
    free.argtypes, free.restype = (ctypes.c_void_p,), None
    return free


@functools.cache
def _load() -> Any:
    """The library with its types. Raises `DisplayLost` where there is none."""
    try:
        library = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        raise DisplayLost("no_display", f"libxcb is not installed: {error}") from error
    pointer, number, unsigned = ctypes.c_void_p, ctypes.c_int, ctypes.c_uint
    for name, gives, takes in (
        ("xcb_connect", pointer, (ctypes.c_char_p, pointer)),
        ("xcb_disconnect", None, (pointer,)),
        ("xcb_connection_has_error", number, (pointer,)),
        ("xcb_get_setup", pointer, (pointer,)),
        ("xcb_generate_id", ctypes.c_uint32, (pointer,)),
        ("xcb_send_request", unsigned, (pointer, number, pointer, pointer)),
        ("xcb_wait_for_reply", pointer, (pointer, unsigned, pointer)),
        ("xcb_request_check", pointer, (pointer, unsigned)),
        ("xcb_poll_for_event", pointer, (pointer,)),
        ("xcb_flush", number, (pointer,)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = gives, takes
    return library
