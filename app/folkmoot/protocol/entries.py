"""Entries as bytes: making, reading and proving them (`WIRE.md`, "Entry" and "Segment").

Refuses whatever is not the exact continuation of the log it claims to be of. Nothing of a segment
is kept if any part of it is wrong. Whether the writer had the right is for `domain.serve`.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from folkmoot.domain.bodies import Body, Genesis, Open
from folkmoot.domain.direct import direct_id
from folkmoot.domain.entry import (
    FIRST_DROPPABLE_KIND,
    FOUNDING_KINDS,
    MAX_BODY_BYTES,
    MAX_SEGMENT_ENTRIES,
    Entry,
    Header,
    Kind,
)
from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import ZERO, ConversationId, DeviceId, EntryId, LogKey
from folkmoot.domain.timestamps import MAX_COUNTER, Stamp
from folkmoot.protocol.bodies import decode_body, encode_body
from folkmoot.protocol.certificates import read_certificate
from folkmoot.protocol.codec import (
    MAX_INTEGER,
    Bytes32,
    Conversation32,
    Device32,
    Entry32,
    Natural,
    Reader,
    pack,
)
from folkmoot.protocol.keys import LABEL_ENTRY, SIGNATURE_BYTES, Signer, verify

ENTRY_VERSION = 1
MAX_HEADER_BYTES = 256
MAX_KIND = 2**16 - 1
OPENING_KINDS = FOUNDING_KINDS | {Kind.OPEN}
NEW_TEAM = ConversationId(ZERO)
"""The conversation in the header of a genesis: its own id is the team's."""


class _Wire(msgspec.Struct, array_like=True, frozen=True):
    version: int
    conversation: Conversation32
    device: Device32
    grant: Entry32
    sequence: Natural
    previous: Entry32
    wall_ms: Natural
    counter: Natural
    kind: Natural
    body_hash: Bytes32


_READER: Reader[_Wire] = Reader(_Wire, "bad_header")


def entry_id(header_bytes: bytes) -> EntryId:
    """SHA-256 of the header's bytes."""
    return EntryId(sha256(header_bytes).digest())


def body_hash(body: bytes) -> bytes:
    """SHA-256 of the body's bytes, as the header carries it."""
    return sha256(body).digest()


def encode_header(header: Header) -> bytes:
    """The bytes of a header: what is hashed, chained and signed."""
    return pack(
        _Wire(
            ENTRY_VERSION,
            header.conversation,
            header.device,
            header.grant,
            header.sequence,
            header.previous,
            header.wall_ms,
            header.counter,
            header.kind,
            header.body_hash,
        )
    )


def decode_header(data: bytes) -> Header:
    """Read a header. Raises `PeerError` ``too_large``, ``not_canonical``, ``bad_header``."""
    if len(data) > MAX_HEADER_BYTES:
        raise PeerError("too_large", f"a header of {len(data)} bytes")
    wire = _READER.convert(data)
    if pack(wire) != data:
        raise PeerError("not_canonical", "the header is not in its shortest form")
    if wire.version != ENTRY_VERSION:
        raise PeerError("bad_header", f"entry version {wire.version}")
    if not 1 <= wire.sequence < MAX_INTEGER or (wire.sequence == 1) != (wire.previous == ZERO):
        raise PeerError("bad_header", "sequence and previous entry do not fit")
    if wire.counter > MAX_COUNTER or not 1 <= wire.kind <= MAX_KIND:
        raise PeerError("bad_header", "counter or kind out of range")
    return Header(
        wire.conversation,
        wire.device,
        wire.grant,
        wire.sequence,
        wire.previous,
        wire.wall_ms,
        wire.counter,
        wire.kind,
        wire.body_hash,
    )


def make_entry(
    signer: Signer,
    *,
    conversation: ConversationId,
    grant: EntryId,
    sequence: int,
    previous: EntryId,
    stamp: Stamp,
    body: Body,
    salt: bytes,
) -> Entry:
    """A signed entry of the device `signer`.

    `conversation` is `NEW_TEAM` and `grant` ZERO for a genesis; `previous` is ZERO at sequence 1.
    """
    data = encode_body(body, salt)
    header = Header(
        conversation=conversation,
        device=DeviceId(signer.public),
        grant=grant,
        sequence=sequence,
        previous=previous,
        wall_ms=stamp.wall_ms,
        counter=stamp.counter,
        kind=int(body.kind),
        body_hash=body_hash(data),
    )
    header_bytes = encode_header(header)
    signature = signer.sign(LABEL_ENTRY, header_bytes)
    return Entry(entry_id(header_bytes), header, header_bytes, signature, data)


def check_body(header: Header, data: bytes) -> Body:
    """Check that `data` is the body of the entry and read it.

    Raises `PeerError` ``bad_hash``, or what `decode_body` raises.
    """
    if len(data) > MAX_BODY_BYTES:
        raise PeerError("too_large", f"a body of {len(data)} bytes")
    if body_hash(data) != header.body_hash:
        raise PeerError("bad_hash", "the body is not the one its header names")
    return decode_body(header.kind, data)


def verify_segment(
    log: LogKey,
    first: int,
    headers: Sequence[bytes],
    signature: bytes,
    bodies: Sequence[bytes | None],
    previous: EntryId,
) -> list[Entry]:
    """The entries of `log` from sequence `first` on, proved by the signature of the last header.

    `previous` is the id held at `first` - 1 (ZERO for 1); `bodies` go with the headers, None where
    one is not sent. For a genesis the log's conversation is the team and its grant ZERO. Raises
    `PeerError` ``bad_segment`` (counts), ``bad_signature``, ``bad_chain``, ``wrong_log``,
    ``missing_body``, ``bad_open``, ``bad_hash``, or what the header, body and certificate raise.
    """
    if not 1 <= len(headers) <= MAX_SEGMENT_ENTRIES or len(bodies) != len(headers):
        raise PeerError("bad_segment", f"{len(headers)} headers with {len(bodies)} bodies")
    if max(map(len, headers)) > MAX_HEADER_BYTES:
        raise PeerError("too_large", "a header is too long")
    if len(signature) != SIGNATURE_BYTES or not verify(
        log.device, LABEL_ENTRY, headers[-1], signature
    ):
        raise PeerError("bad_signature", "the segment is not signed by its device")
    entries: list[Entry] = []
    last = len(headers) - 1
    for number, (header_bytes, body) in enumerate(zip(headers, bodies, strict=True)):
        header = decode_header(header_bytes)
        if header.sequence != first + number or header.previous != previous:
            raise PeerError("bad_chain", f"entry {first + number} does not follow the one before")
        previous = entry_id(header_bytes)
        _check_log(log, header, previous)
        _check_content(log, header, body)
        entries.append(
            Entry(previous, header, header_bytes, signature if number == last else None, body)
        )
    return entries


def _check_log(log: LogKey, header: Header, entry: EntryId) -> None:
    conversation, kind = header.conversation, header.kind
    if kind in FOUNDING_KINDS and conversation == NEW_TEAM:
        conversation = ConversationId(entry)
    elif kind in FOUNDING_KINDS or conversation == NEW_TEAM:
        raise PeerError("wrong_log", "only what founds a conversation names none")
    if conversation != log.conversation or header.device != log.device or header.grant != log.grant:
        raise PeerError("wrong_log", "an entry belongs to another log")
    after_genesis = log.grant == ZERO and header.previous == EntryId(log.conversation)
    if (kind in OPENING_KINDS) != (header.sequence == 1) or after_genesis:
        raise PeerError("bad_open", "a log begins with its opening entry and has no other")


def _check_content(log: LogKey, header: Header, body: bytes | None) -> None:
    if body is None:
        if header.kind < FIRST_DROPPABLE_KIND:
            raise PeerError("missing_body", f"an entry of kind {header.kind} came without its body")
        return
    content = check_body(header, body)
    if isinstance(content, Open | Genesis):
        _check_opening(log, content)


def _check_opening(log: LogKey, body: Open | Genesis) -> None:
    certificate = read_certificate(body.certificate)
    if certificate.device != log.device:
        raise PeerError("bad_open", "the log opens with the certificate of another device")
    if isinstance(body, Genesis):
        if log.grant != ZERO:
            raise PeerError("bad_open", "a team is founded under no grant")
    elif body.persons:
        if log.grant != ZERO or direct_id(body.persons) != log.conversation:
            raise PeerError("bad_open", "these persons do not make this direct conversation")
        if certificate.person not in body.persons:
            raise PeerError("bad_open", "the writer is not one of the direct conversation's")
    elif log.grant == ZERO:
        raise PeerError("bad_open", "a log without grant and without persons")
