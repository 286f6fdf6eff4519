"""The feed of new versions as bytes (`docs/UPDATES.md`): JSON in an envelope that signs its bytes.

Refuses what is too large, is not signed by the key of its address, or has a field out of bounds;
nothing of what is inside is read before the signature is.
"""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

import msgspec

from folkmoot.domain.errors import PeerError
from folkmoot.domain.names import is_line
from folkmoot.domain.updates import Feed, Release, is_web_address, version_key
from folkmoot.protocol.keys import LABEL_FEED, SIGNATURE_BYTES, Signer, verify

MAX_FEED_BYTES: Final = 64 * 1024
MAX_RELEASES: Final = 32
MAX_SUMMARY_CHARACTERS: Final = 1000
MAX_SUMMARY_LINES: Final = 20
FEED_FORMAT: Final = 1
MAX_SERIAL: Final = 2**53 - 1
"""Every reader of JSON keeps it whole."""

_Text = Annotated[str, msgspec.Meta(max_length=MAX_SUMMARY_CHARACTERS)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Envelope(msgspec.Struct, frozen=True):
    signed: Annotated[str, msgspec.Meta(max_length=MAX_FEED_BYTES)]
    signature: Annotated[str, msgspec.Meta(max_length=100)]


class _Release(msgspec.Struct, frozen=True):
    version: Annotated[str, msgspec.Meta(max_length=32)]
    date: date
    summary: _Text
    notes: Annotated[str, msgspec.Meta(max_length=300)] = ""


class _Payload(msgspec.Struct, frozen=True):
    format: int
    serial: Annotated[int, msgspec.Meta(ge=1, le=MAX_SERIAL)]
    issued: _Moment
    expires: _Moment
    releases: Annotated[tuple[_Release, ...], msgspec.Meta(max_length=MAX_RELEASES)]


def read_feed(data: bytes, key: bytes) -> Feed:
    """Check and read a feed that `key` (32 bytes) must have signed.

    Raises `PeerError` ``too_large``, ``bad_feed`` (shape, bounds, another format) or
    ``bad_signature``.
    """
    if len(data) > MAX_FEED_BYTES:
        raise PeerError("too_large", f"{len(data)} bytes where {MAX_FEED_BYTES} are allowed")
    envelope: _Envelope = _decode(data, _Envelope)
    signed, signature = _plain(envelope.signed), _plain(envelope.signature)
    if len(signature) != SIGNATURE_BYTES or not verify(key, LABEL_FEED, signed, signature):
        raise PeerError("bad_signature", "the feed is not signed by the key of its address")
    return _feed_of(_decode(signed, _Payload))


def write_feed(feed: Feed, signer: Signer) -> bytes:
    """A feed in its envelope. Raises `PeerError` as `read_feed` does for what it would refuse."""
    payload = _Payload(
        FEED_FORMAT,
        feed.serial,
        datetime.fromtimestamp(feed.issued_ms / 1000, UTC),
        datetime.fromtimestamp(feed.expires_ms / 1000, UTC),
        tuple(
            _Release(one.version, date.fromisoformat(one.date), one.summary, one.notes)
            for one in feed.releases
        ),
    )
    signed = msgspec.json.encode(payload)
    envelope = _Envelope(
        base64.b64encode(signed).decode(),
        base64.b64encode(signer.sign(LABEL_FEED, signed)).decode(),
    )
    data = msgspec.json.format(msgspec.json.encode(envelope), indent=1) + b"\n"
    read_feed(data, signer.public)
    return data


def _decode(data: bytes, shape: type[Any]) -> Any:
    try:
        return msgspec.json.decode(data.decode(), type=shape)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise PeerError("bad_feed", str(error)) from error


def _plain(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise PeerError("bad_feed", "a field is not base64") from error


def _feed_of(payload: _Payload) -> Feed:
    if payload.format != FEED_FORMAT:
        raise PeerError("bad_feed", f"a feed of format {payload.format}")
    if payload.expires <= payload.issued:
        raise PeerError("bad_feed", "the feed expires before it is issued")
    for one in payload.releases:
        if version_key(one.version) is None or not _is_summary(one.summary):
            raise PeerError("bad_feed", "a version or its summary is not allowed")
        if one.notes and not is_web_address(one.notes):
            raise PeerError("bad_feed", "the notes of a version are not at an https address")
    return Feed(
        payload.serial,
        int(payload.issued.timestamp() * 1000),
        int(payload.expires.timestamp() * 1000),
        tuple(Release(r.version, r.date.isoformat(), r.summary, r.notes) for r in payload.releases),
    )


def _is_summary(text: str) -> bool:
    lines = text.split("\n")
    return len(lines) <= MAX_SUMMARY_LINES and all(
        is_line(line, MAX_SUMMARY_CHARACTERS) for line in lines
    )
