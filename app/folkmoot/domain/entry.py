"""The signed record that replicates, as plain data. Encoding and signatures live in `protocol`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, LogKey

HASH_BYTES = 32
MAX_BODY_BYTES = 32 * 1024
MAX_SEGMENT_ENTRIES = 256
MAX_TEAM_LOG_ENTRIES = 10_000
FIRST_DROPPABLE_KIND = 64
"""Kinds from here on may lose their body; the others come only with it."""


class Kind(IntEnum):
    """What an entry does (`WIRE.md`). Numbers not listed are kept and forwarded without effect."""

    OPEN = 1
    GENESIS = 2
    PRIVATE = 3
    CHANNEL = 4
    INVITE = 5
    ADMIT = 6
    GRANT = 7
    REMOVE = 8
    LEAVE = 9
    CLOSE = 10
    CUT = 11
    REVOKE = 12
    DELETE = 13
    REACT = 14
    SET = 15
    MESSAGE = 64
    EDIT = 65
    CALL = 66
    RECORDING = 67


FOUNDING_KINDS = frozenset({Kind.GENESIS, Kind.PRIVATE})
"""Their header names no conversation: their own id is the conversation's."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is hashed, chained and signed. `kind` is an int: unknown kinds are kept."""

    conversation: ConversationId
    device: DeviceId
    grant: EntryId
    sequence: int
    previous: EntryId
    wall_ms: int
    counter: int
    kind: int
    body_hash: bytes

    @property
    def log(self) -> LogKey:
        """The log as the header names it; for a genesis, whose id is its team, use `Entry.log`."""
        return LogKey(self.conversation, self.device, self.grant)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a log, with the exact bytes that were hashed.

    `signature` is None for an entry that was proved by the signature of a later one in its segment.
    `body` is None where it was dropped or has not come yet.
    """

    id: EntryId
    header: Header
    header_bytes: bytes
    signature: bytes | None
    body: bytes | None

    @property
    def log(self) -> LogKey:
        """The log this entry belongs to. A genesis begins the conversation that has its id."""
        header = self.header
        if header.kind in FOUNDING_KINDS:
            return LogKey(ConversationId(self.id), header.device, header.grant)
        return header.log


@dataclass(frozen=True, slots=True)
class LogHead:
    """The newest entry of a log that is held, and the entry before which nothing is missing."""

    log: LogKey
    sequence: int
    id: EntryId
