"""Entries of calls and their recordings as rows. What they amount to is read in `call_cards`.

Refuses states that this version does not know.
"""

from __future__ import annotations

from folkmoot.domain.bodies import (
    CALL_DECLINED,
    CALL_ENDED,
    CALL_STARTED,
    RECORDING_BEGAN,
    RECORDING_ENDED,
    CallBody,
    RecordingBody,
)
from folkmoot.domain.entry import Entry
from folkmoot.domain.errors import PeerError
from folkmoot.protocol.bodies import decode_body
from folkmoot.storage.book import Stored
from folkmoot.storage.rows import Row

_STATES = (CALL_STARTED, CALL_ENDED, CALL_DECLINED)
INSERT_CALL = "INSERT INTO call VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_RECORDED = "INSERT INTO recorded VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def read_call(entry: Entry) -> CallBody | None:
    """What an entry says of a call; None without a body, or where it has no effect.

    Version 1 took any canonical body of this kind: a malformed one may lie in an older store.
    """
    if entry.body is None:
        return None
    try:
        body = decode_body(CallBody.kind, entry.body)
    except PeerError:
        return None
    return body if isinstance(body, CallBody) and body.state in _STATES else None


def call_row(stored: Stored, conversation: int, body: CallBody) -> Row:
    """The row of `call` for an entry."""
    entry, header = stored.entry, stored.entry.header
    return (
        *(stored.arrival, entry.id, conversation, body.call, stored.log.person),
        *(body.state, int(body.video)),
        *(b"".join(body.persons), body.seconds, header.wall_ms, header.counter),
    )


def read_recording(entry: Entry) -> RecordingBody | None:
    """What an entry says of a recording; None as in `read_call`."""
    if entry.body is None:
        return None
    try:
        body = decode_body(RecordingBody.kind, entry.body)
    except PeerError:
        return None
    known = isinstance(body, RecordingBody) and body.state in (RECORDING_BEGAN, RECORDING_ENDED)
    return body if known and isinstance(body, RecordingBody) else None


def recorded_row(stored: Stored, conversation: int, body: RecordingBody) -> Row:
    """The row of `recorded` for an entry."""
    entry, header = stored.entry, stored.entry.header
    return (
        *(stored.arrival, entry.id, conversation, body.call, stored.log.person, header.device),
        *(body.state, body.seconds, header.wall_ms, header.counter),
    )
