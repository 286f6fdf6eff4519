"""Checks a session description (RFC 8866) from a peer before any library reads it.

Owns the bounds. Refuses what a call of ours never says: several fingerprints (one of them could be
somebody else's), other kinds of media, more candidates or sources than a computer has.
"""

from __future__ import annotations

import ipaddress
import re

from folkmoot.domain.errors import PeerError
from folkmoot.services.media_port import MAX_SDP_CHARACTERS

MAX_LINES = 400
MAX_LINE_CHARACTERS = 512
MAX_CANDIDATES = 40
"""In the whole description; bundled media repeat theirs."""
MAX_SOURCES = 4
"""Numbers of sources (SSRC) for each medium."""
MAX_PAYLOAD_TYPES = 32
_FINGERPRINT = re.compile(r"sha-256 ((?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2})")
_MEDIUM = re.compile(r"m=(audio|video) ([0-9]{1,5}) UDP/TLS/RTP/SAVPF ((?:[0-9]{1,3} ?)+)")
_UFRAG = re.compile(r"a=ice-ufrag:[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"a=ice-pwd:[A-Za-z0-9+/]{22,256}")
_CANDIDATE = re.compile(
    r"a=candidate:[A-Za-z0-9+/]{1,32} [12] (?:udp|UDP|tcp|TCP) [0-9]{1,10} (\S{1,64}) "
    r"([0-9]{1,5}) typ (host|srflx|prflx|relay)(?: .{0,200})?"
)
_SOURCE = re.compile(r"a=ssrc:([0-9]{1,10}) \S.{0,300}")
_MDNS_NAME = re.compile(r"[A-Za-z0-9-]{1,60}\.local")
_LOCAL_FINGERPRINT = re.compile(r"a=fingerprint:(?!sha-256 )")


def check_description(sdp: str) -> None:
    """Raise `PeerError` ``bad_description`` unless `sdp` describes one sound and two
    pictures: a camera, then a screen."""
    _check_characters(sdp)
    lines = sdp.splitlines()
    if len(lines) > MAX_LINES or any(len(line) > MAX_LINE_CHARACTERS for line in lines):
        raise _wrong("it is too long")
    if not lines or lines[0] != "v=0":
        raise _wrong("it has no version")
    _check_media([line for line in lines if line.startswith("m=")])
    _check_fingerprint(lines)
    _check_credentials(lines)
    _check_candidates([line for line in lines if line.startswith("a=candidate")])
    _check_sources(lines)


def as_sent(sdp: str) -> str:
    """Our own description as it goes to a peer: with the one kind of fingerprint it may have."""
    kept = (line for line in sdp.splitlines() if not _LOCAL_FINGERPRINT.match(line))
    return "\r\n".join(kept) + "\r\n"


def _check_characters(sdp: str) -> None:
    if len(sdp) > MAX_SDP_CHARACTERS:
        raise _wrong("it is too long")
    if not sdp.isascii() or any(not c.isprintable() and c not in "\r\n" for c in sdp):
        raise _wrong("it has characters that are not allowed")


def _check_media(lines: list[str]) -> None:
    matches = [_MEDIUM.fullmatch(line) for line in lines]
    kinds = sorted(match[1] for match in matches if match)
    if kinds != ["audio", "video", "video"] or None in matches:
        raise _wrong("it is not one sound and two pictures")
    for match in matches:
        types = match[3].split() if match else []
        if len(types) > MAX_PAYLOAD_TYPES or len(set(types)) != len(types):
            raise _wrong("it has too many formats")


def _check_fingerprint(lines: list[str]) -> None:
    given = [line.partition(":")[2] for line in lines if line.startswith("a=fingerprint")]
    values = {match[1].upper() if (match := _FINGERPRINT.fullmatch(f)) else "" for f in given}
    if len(values) != 1 or "" in values:
        raise _wrong("it has not exactly one fingerprint")


def _check_credentials(lines: list[str]) -> None:
    for start, pattern in (("a=ice-ufrag", _UFRAG), ("a=ice-pwd", _PASSWORD)):
        given = {line for line in lines if line.startswith(start)}
        if len(given) != 1 or not all(pattern.fullmatch(line) for line in given):
            raise _wrong("its credentials for the way are wrong")


def _check_candidates(lines: list[str]) -> None:
    if len(lines) > MAX_CANDIDATES:
        raise _wrong("it has too many candidates")
    for line in lines:
        match = _CANDIDATE.fullmatch(line)
        if match is None or int(match[2]) > 65535 or not _is_address(match[1]):
            raise _wrong("it has a candidate that cannot be")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _MDNS_NAME.fullmatch(text) is not None
    return True


def _check_sources(lines: list[str]) -> None:
    sources: set[str] = set()
    for line in [*lines, "m="]:
        if line.startswith("m="):
            if len(sources) > MAX_SOURCES:
                raise _wrong("it has too many sources")
            sources = set()
        elif line.startswith("a=ssrc:"):
            match = _SOURCE.fullmatch(line)
            if match is None or int(match[1]) > 0xFFFFFFFF:
                raise _wrong("it has a source that cannot be")
            sources.add(match[1])


def _wrong(why: str) -> PeerError:
    return PeerError("bad_description", f"The description of a connection is wrong: {why}.")
