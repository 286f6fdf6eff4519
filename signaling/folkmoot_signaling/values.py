"""Reads the value of each setting: which type, which bounds, and the words that say so.

Every reader takes what TOML or the command line gave and returns the value, or raises ValueError
with what it should have been. Refuses to look at files or names in the network.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from collections.abc import Callable
from typing import Any, TypeVar

from folkmoot.domain.address import Address, parse_address
from folkmoot.domain.errors import UserError
from folkmoot.domain.servers import parse_server
from folkmoot.protocol.signaling import MAX_TURN_URLS
from folkmoot_signaling.settings import Rate

T = TypeVar("T")
Reader = Callable[[object], Any]
MAX_LIST = 64
_TURN = re.compile(r"turns?:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?(\?transport=(udp|tcp))?")


def read_switch(value: object) -> bool:
    """`true` or `false`."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def read_text(value: object) -> str:
    """Some text."""
    if not isinstance(value, str) or not value.strip() or len(value) > 4096:
        raise ValueError("a text in quotes")
    return value


def one_of(*words: str) -> Reader:
    """One of some words."""

    def read(value: object) -> str:
        if value not in words:
            raise ValueError(" or ".join(f'"{word}"' for word in words))
        return str(value)

    return read


def whole(least: int, most: int) -> Reader:
    """A whole number between bounds."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return read


def seconds(least: float, most: float) -> Reader:
    """A number of seconds between bounds."""

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"a number of seconds from {least:g} to {most:g}")
        if not least <= value <= most:
            raise ValueError(f"a number of seconds from {least:g} to {most:g}")
        return float(value)

    return read


def rate(least_burst: int) -> Reader:
    """So many a second and so many at once."""
    words = (
        "a table such as { per_s = 100, burst = 500 }, with per_s above 0 and "
        f"burst at least {least_burst}"
    )

    def read(value: object) -> Rate:
        if not isinstance(value, dict) or set(value) != {"per_s", "burst"}:
            raise ValueError(words)
        per_s, burst = value["per_s"], value["burst"]
        for number in (per_s, burst):
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise ValueError(words)
        if not (0 < per_s <= 1e12 and least_burst <= burst <= 1e12):
            raise ValueError(words)
        return Rate(per_s, burst)

    return read


def many(
    read_one: Callable[[object], T], most: int = MAX_LIST
) -> Callable[[object], tuple[T, ...]]:
    """A list of values."""

    def read(value: object) -> tuple[T, ...]:
        if not isinstance(value, list) or len(value) > most:
            raise ValueError(f"a list of at most {most}, in square brackets")
        return tuple(read_one(item) for item in value)

    return read


def read_address(value: object) -> Address:
    """Where to listen."""
    try:
        return parse_address(read_text(value))
    except (UserError, ValueError):
        raise ValueError("an address such as 127.0.0.1:8480 or [::]:8480") from None


def read_name(value: object) -> str:
    """A name under which nodes reach the server, in canonical form."""
    try:
        return str(parse_server(read_text(value)))
    except (UserError, ValueError):
        raise ValueError("an address such as wss://talk.example.org") from None


def read_network(value: object) -> str:
    """An address or a network."""
    try:
        return str(ipaddress.ip_network(read_text(value)))
    except ValueError:
        raise ValueError("an address or a network, such as 127.0.0.1 or 10.0.0.0/8") from None


def read_turn_url(value: object) -> str:
    """A TURN server (RFC 7065)."""
    if not isinstance(value, str) or len(value) > 256 or not _TURN.fullmatch(value):
        raise ValueError("an address such as turn:turn.example.org:3478?transport=udp")
    return value


read_turn_urls = many(read_turn_url, MAX_TURN_URLS)


def read_redis(value: object) -> str:
    """The address of Redis."""
    words = "an address such as redis://127.0.0.1:6379/0 or unix:///run/redis/redis.sock"
    text = read_text(value)
    try:
        parts = urllib.parse.urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError(words) from None
    if not (
        (parts.scheme in ("redis", "rediss") and parts.hostname)
        or (parts.scheme == "unix" and parts.path)
    ):
        raise ValueError(words)
    return text
