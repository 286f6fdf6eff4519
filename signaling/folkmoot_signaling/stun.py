"""Tells a computer how the outside sees it: binding requests of STUN (RFC 8489) over UDP.

Keeps nothing of who asks but a count for each address, for a second. Refuses by silence what is no
binding request; an answer is at most three times as long as the shortest request and goes to each
address a few times a second, so that a forged sender is a poor weapon.
"""

from __future__ import annotations

import asyncio
import binascii
import ipaddress
import socket
import struct
from collections.abc import Callable, Sequence
from typing import cast

from folkmoot.domain.address import Address

MAX_REQUEST_BYTES = 548
"""What passes any IPv4 path in one piece (RFC 8489, section 6.1)."""
ANSWERS_PER_S = 1000
ANSWERS_PER_ADDRESS_S = 20
SOFTWARE = b"Folkmoot"

_COOKIE = 0x2112A442
_COOKIE_BYTES = _COOKIE.to_bytes(4, "big")
_HEADER = struct.Struct("!HHI12s")
_REQUEST, _SUCCESS, _ERROR = 0x0001, 0x0101, 0x0111
_INTEGRITY, _INTEGRITY_SHA256, _FINGERPRINT = 0x0008, 0x001C, 0x8028
_ERROR_CODE, _UNKNOWN, _XOR_MAPPED, _SOFTWARE = 0x0009, 0x000A, 0x0020, 0x8022
# USERNAME, REALM, NONCE, USERHASH, PASSWORD-ALGORITHM; PRIORITY and USE-CANDIDATE of ICE.
_UNDERSTOOD = frozenset({0x0006, 0x0014, 0x0015, 0x001E, 0x001D, 0x0024, 0x0025})
_FINGERPRINT_XOR = 0x5354554E
_MAX_UNKNOWN = 4


def answer_binding(request: bytes, host: str, port: int) -> bytes | None:
    """The answer to a datagram that came from `host` and `port`; None: it deserves none."""
    if not _HEADER.size <= len(request) <= MAX_REQUEST_BYTES:
        return None
    kind, length, cookie, transaction = _HEADER.unpack_from(request)
    if kind != _REQUEST or cookie != _COOKIE or length % 4 or length != len(request) - _HEADER.size:
        return None
    read = _read_attributes(request)
    if read is None:
        return None
    unknown, with_fingerprint = read
    if unknown:
        kind = _ERROR
        body = _attribute(_ERROR_CODE, b"\0\0\x04\x14Unknown") + _attribute(
            _UNKNOWN, b"".join(number.to_bytes(2, "big") for number in unknown[:_MAX_UNKNOWN])
        )
    else:
        kind = _SUCCESS
        body = _attribute(_XOR_MAPPED, _xor_address(host, port, transaction))
        body += _attribute(_SOFTWARE, SOFTWARE)
    length = len(body) + (8 if with_fingerprint else 0)
    message = _HEADER.pack(kind, length, _COOKIE, transaction) + body
    if with_fingerprint:
        message += _attribute(_FINGERPRINT, _fingerprint(message))
    return message


def _read_attributes(request: bytes) -> tuple[list[int], bool] | None:
    """(attributes that would have to be understood, whether it has a fingerprint)."""
    unknown: list[int] = []
    proved = False
    at = _HEADER.size
    while at < len(request):
        kind, length = struct.unpack_from("!HH", request, at)
        end = at + 4 + length
        if end > len(request):
            return None
        if kind == _FINGERPRINT:
            # The last attribute; it covers what stands before it.
            whole = length == 4 and end == len(request)
            if not whole or request[at + 4 :] != _fingerprint(request[:at]):
                return None
            return unknown, True
        if kind in (_INTEGRITY, _INTEGRITY_SHA256):
            proved = True
        elif kind < 0x8000 and kind not in _UNDERSTOOD and not proved:
            unknown.append(kind)
        at = end + -length % 4
    return unknown, False


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def _fingerprint(before: bytes) -> bytes:
    checksum = binascii.crc32(before) ^ _FINGERPRINT_XOR
    return checksum.to_bytes(4, "big")


def _xor_address(host: str, port: int, transaction: bytes) -> bytes:
    """XOR-MAPPED-ADDRESS: masked, because some NATs rewrite addresses inside packets."""
    packed = _plain(host).packed
    mask = _COOKIE_BYTES + transaction
    masked = bytes(a ^ b for a, b in zip(packed, mask, strict=False))
    family = 1 if len(packed) == 4 else 2
    return struct.pack("!BBH", 0, family, port ^ (_COOKIE >> 16)) + masked


def _plain(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Without a zone, and IPv4 as such."""
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


class AnswerBudget:
    """How many answers an address, and everybody together, gets in each second.

    An IPv6 address counts as its /64, which one person has whole. At most `ANSWERS_PER_S` addresses
    are kept, for a second.
    """

    def __init__(self) -> None:
        self._second = -1
        self._left = 0
        self._given: dict[bytes, int] = {}

    def take(self, host: str, now_s: float) -> bool:
        """Whether one more answer may go to `host` at `now_s`."""
        if int(now_s) != self._second:
            self._second, self._left = int(now_s), ANSWERS_PER_S
            self._given.clear()
        key = _plain(host).packed[:8]
        given = self._given.get(key, 0)
        if self._left == 0 or given == ANSWERS_PER_ADDRESS_S:
            return False
        self._left -= 1
        self._given[key] = given + 1
        return True


class StunResponder:
    """Answers on the sockets that `start` opened, until `aclose`."""

    def __init__(self) -> None:
        self.answered = 0
        self.ignored = 0
        self.limited = 0
        self._budget = AnswerBudget()
        self._transports: list[asyncio.DatagramTransport] = []

    async def start(self, addresses: Sequence[Address]) -> list[Address]:
        """Listen on UDP `addresses`; where that is. Raises OSError."""
        loop = asyncio.get_running_loop()
        try:
            for address in addresses:
                found = await loop.getaddrinfo(*address, type=socket.SOCK_DGRAM)
                for family, _kind, _protocol, _name, place in dict.fromkeys(found):
                    opened = _open_socket(family, cast("tuple[str, int]", place))
                    transport, _ = await loop.create_datagram_endpoint(
                        lambda: _Datagrams(self._came), sock=opened
                    )
                    self._transports.append(transport)
        except OSError:
            await self.aclose()
            raise
        return [Address(*t.get_extra_info("sockname")[:2]) for t in self._transports]

    async def aclose(self) -> None:
        """Stop listening."""
        for transport in self._transports:
            transport.close()
        self._transports.clear()

    def _came(
        self, transport: asyncio.DatagramTransport, data: bytes, source: tuple[str, int]
    ) -> None:
        answer = answer_binding(data, *source[:2])
        if answer is None:
            self.ignored += 1
        elif not self._budget.take(source[0], asyncio.get_running_loop().time()):
            self.limited += 1
        else:
            self.answered += 1
            transport.sendto(answer, source)


def _open_socket(family: int, place: tuple[str, int]) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            # IPv4 has its own socket, as with TCP.
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.setblocking(False)
        opened.bind(place)
    except OSError:
        opened.close()
        raise
    return opened


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(
        self, came: Callable[[asyncio.DatagramTransport, bytes, tuple[str, int]], None]
    ) -> None:
        self._came = came
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None:
            self._came(self._transport, data, addr)
