"""New versions of the program: how versions compare, and the address of a feed that tells of them.

An address is ``https://example.org/folkmoot.json#key=KEY``; KEY is the feed's Ed25519 public key in
43 characters of base64url. Refuses http, but for this very computer.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from folkmoot.domain.address import is_here, parse_address
from folkmoot.domain.errors import UserError

MAX_URL_CHARACTERS = 300
MAX_VERSION_CHARACTERS = 32
_VERSION = re.compile(r"(\d{1,6}(?:\.\d{1,6}){0,3})(?:(a|b|rc)(\d{1,6}))?", re.ASCII)
_URL = re.compile(r"[!#-;=?-\[\]_a-z~]+", re.ASCII)
"""Printable, without quotes, spaces, angles and what Python and others read differently."""
_FINAL = ("~", 0)
"""Sorts behind every ``a``, ``b`` and ``rc``."""

VersionKey = tuple[tuple[int, ...], tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Release:
    """One version. `date` as YYYY-MM-DD; `summary` is plain text, `notes` an https address or
    empty."""

    version: str
    date: str
    summary: str
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed says. `serial` grows with each change; after `expires_ms` it tells nothing."""

    serial: int
    issued_ms: int
    expires_ms: int
    releases: tuple[Release, ...]


@dataclass(frozen=True, slots=True)
class FeedAddress:
    """Where a feed is, and the key (32 bytes) that signs it."""

    url: str
    key: bytes

    def __str__(self) -> str:
        return f"{self.url}#key={base64.urlsafe_b64encode(self.key).decode().rstrip('=')}"


def version_key(text: str) -> VersionKey | None:
    """What versions compare by; None if `text` is none.

    A version is one to four numbers and maybe ``a``, ``b`` or ``rc`` with a number; zeros behind
    the last other number say nothing (PEP 440, as far as it is used here).
    """
    read = _VERSION.fullmatch(text) if len(text) <= MAX_VERSION_CHARACTERS else None
    if read is None:
        return None
    numbers = [int(part) for part in read[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers), (read[2], int(read[3])) if read[2] else _FINAL


def newest(releases: Iterable[Release], running: str) -> Release | None:
    """The newest version above the one that runs; None if there is none, or if it is not known
    what runs. Versions before a final one are for those who run such a one."""
    here = version_key(running)
    if here is None:
        return None
    found: list[tuple[VersionKey, Release]] = []
    for release in releases:
        key = version_key(release.version)
        if key is not None and key > here and (key[1] == _FINAL or here[1] != _FINAL):
            found.append((key, release))
    return max(found, key=lambda one: one[0])[1] if found else None


def parse_feed_address(text: str) -> FeedAddress:
    """Read an address as pasted. Raises `UserError` ``bad_feed``."""
    url, found, key = text.strip().partition("#key=")
    if not is_web_address(url, plain_here=True):
        raise _bad(
            f"“{text.strip()[:80]}” is not the address of a feed.",
            "It begins with https:// and ends with #key= and the key; copy it as a whole.",
        )
    try:
        public = base64.b64decode(key + "=", altchars=b"-_", validate=True) if found else b""
    except ValueError:
        public = b""
    if len(public) != 32 or len(key) != 43:
        raise _bad(
            "The address has no key, or one that is cut short.",
            "Copy all of it: behind #key= are 43 letters, digits, - or _.",
        )
    return FeedAddress(url, public)


def is_web_address(url: str, *, plain_here: bool = False) -> bool:
    """Whether `url` is an https address with a host, no user name and nothing odd in it.

    `plain_here`: http may lead to this very computer.
    """
    if len(url) > MAX_URL_CHARACTERS or "#" in url or not _URL.fullmatch(url.lower()):
        return False
    try:
        parts = urlsplit(url)
        port = 443 if parts.port is None else parts.port
        host = parts.hostname or ""
        parse_address(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except (ValueError, UserError):
        return False
    if "@" in parts.netloc or port == 0:
        return False
    return parts.scheme == "https" or (plain_here and parts.scheme == "http" and is_here(host))


def _bad(message: str, hint: str) -> UserError:
    return UserError("bad_feed", message, hint)
