"""A network address as a person types it: ``192.0.2.7:7000``, ``[fe80::1%eth0]:7000``.

Refuses to look names up: whether the host exists is for the network to say.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple

from folkmoot.domain.errors import UserError

MAX_HOST_LENGTH = 253
"""Longest host name (RFC 1035, section 2.3.4), in characters without the final dot."""


class Address(NamedTuple):
    """Host name or IP address without brackets, and TCP port (0 to 65535)."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read ``HOST:PORT``; an IPv6 host stands in brackets. Raises UserError ``bad_address``."""
    host, colon, port = text.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host or "[" in host or "]" in host:
        raise _bad(text)
    if not colon or len(host) > MAX_HOST_LENGTH or " " in host or not _can_be_host(host):
        raise _bad(text)
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
        raise _bad(text)
    return Address(host, int(port))


def is_here(host: str) -> bool:
    """Whether a host is this very computer, however the network is."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _can_be_host(host: str) -> bool:
    """Whether a system could be asked for it: else that would raise what nobody expects."""
    labels = host.removesuffix(".").split(".")
    if not host.isprintable() or not all(0 < len(label) < 64 for label in labels):
        return False
    try:
        return host.isascii() or bool(host.encode("idna"))
    except UnicodeError:
        return False


def _bad(text: str) -> UserError:
    return UserError(
        "bad_address",
        f"“{text[:80]}” is not an address.",
        "Write a host and a port, such as 192.168.1.20:7000 or [fe80::1]:7000.",
    )
