"""What an entry says, kind by kind, as plain data.

Encoding, sizes and the refusal of malformed bodies are in `protocol.entries` and its `WIRE.md`; who
may do what is in `domain.fold` and `domain.serve`. Identifiers that mean "none" are `ZERO` here as
on the wire. Kinds that have no effect in this version are `Unknown`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar

from folkmoot.domain.entry import Kind
from folkmoot.domain.identity import SignedCertificate
from folkmoot.domain.ids import ZERO, DeviceId, EntryId, PersonId

HISTORY_NONE = 0
HISTORY_ALL = 2**32 - 1
"""Between the two: that many days. A greater number is never less history."""

NO_ENTRY = EntryId(ZERO)


class Level(IntEnum):
    """What a grant gives, lowest first."""

    GUEST = 0
    MEMBER = 1
    ADMIN = 2
    OWNER = 3


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a log ends for who made the cut: this entry is the last that counts."""

    device: DeviceId
    grant: EntryId
    sequence: int
    id: EntryId


@dataclass(frozen=True, slots=True)
class Open:
    """First entry of every log but a genesis. `persons`: all of a direct conversation, sorted."""

    kind: ClassVar[int] = Kind.OPEN
    certificate: SignedCertificate
    persons: tuple[PersonId, ...] = ()


@dataclass(frozen=True, slots=True)
class Genesis:
    """Founds a team. The id of its entry is the team and the founder's owner grant."""

    kind: ClassVar[int] = Kind.GENESIS
    name: str
    certificate: SignedCertificate


@dataclass(frozen=True, slots=True)
class Channel:
    """Makes a public channel; the id of its entry is the channel. `posts`: lowest that may post."""

    kind: ClassVar[int] = Kind.CHANNEL
    name: str
    posts: Level = Level.GUEST


@dataclass(frozen=True, slots=True)
class Invite:
    """Whoever proves to hold the key of `public_key` may be admitted on these terms.

    `expires_ms` 0: never; `uses` 0: without limit. Both are judged once, by the admitting node.
    """

    kind: ClassVar[int] = Kind.INVITE
    public_key: bytes
    role: Level
    may_invite: bool
    channels: tuple[EntryId, ...] = ()
    history: int = HISTORY_ALL
    expires_ms: int = 0
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Admit:
    """Lets the certificate's person in by an invitation. Its entry is that person's grant."""

    kind: ClassVar[int] = Kind.ADMIT
    invite: EntryId
    certificate: SignedCertificate
    proof: bytes


@dataclass(frozen=True, slots=True)
class Grant:
    """Gives a person a role. `after`, `ends` and `cuts` have no effect in this version."""

    kind: ClassVar[int] = Kind.GRANT
    person: PersonId
    role: Level
    may_invite: bool = False
    channels: tuple[EntryId, ...] = ()
    history: int = HISTORY_ALL
    after: tuple[EntryId, ...] = ()
    ends: tuple[EntryId, ...] = ()
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    """Drops the bodies of a message and of its edits, for good."""

    kind: ClassVar[int] = Kind.DELETE
    target: EntryId


@dataclass(frozen=True, slots=True)
class React:
    """One write to the register (person, target, emoji)."""

    kind: ClassVar[int] = Kind.REACT
    target: EntryId
    emoji: str
    on: bool
    replaces: tuple[EntryId, ...] = ()


SetValue = str | bytes | bool | int | None


@dataclass(frozen=True, slots=True)
class Set:
    """One write to the register of `key` (of `key` and the person where it begins ``profile/``)."""

    kind: ClassVar[int] = Kind.SET
    key: str
    value: SetValue
    replaces: tuple[EntryId, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageBody:
    """A message. `thread`: its first message; `reply`: the message it answers, for the quote.

    `files` are opaque in this version and have no effect.
    """

    kind: ClassVar[int] = Kind.MESSAGE
    text: str
    thread: EntryId = NO_ENTRY
    reply: EntryId = NO_ENTRY
    also_in_channel: bool = False
    mentions: tuple[PersonId, ...] = ()
    files: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """One write to the register of a message's text."""

    kind: ClassVar[int] = Kind.EDIT
    target: EntryId
    text: str
    files: tuple[bytes, ...] = ()
    replaces: tuple[EntryId, ...] = ()


CALL_STARTED = 1
CALL_ENDED = 2
CALL_DECLINED = 3


@dataclass(frozen=True, slots=True)
class CallBody:
    """A call in a conversation started or ended, or the writer declined it.

    `call`: 32 random bytes that name it. `state` is one of ``CALL_…``; any other has no effect.
    `persons`, sorted, took part and `seconds` is how long it was: both only count in an end.
    """

    kind: ClassVar[int] = Kind.CALL
    call: bytes
    state: int
    video: bool = False
    persons: tuple[PersonId, ...] = ()
    seconds: int = 0


RECORDING_BEGAN = 1
RECORDING_ENDED = 2


@dataclass(frozen=True, slots=True)
class RecordingBody:
    """The writer began to record a call, or ended that.

    `state` is `RECORDING_BEGAN` or `RECORDING_ENDED`; any other has no effect. `seconds` is how
    long it was and only counts in an end.
    """

    kind: ClassVar[int] = Kind.RECORDING
    call: bytes
    state: int
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """A kind this version does not know or only keeps place for: kept, forwarded, no effect."""

    kind: int = field()


Body = (
    Open
    | Genesis
    | Channel
    | Invite
    | Admit
    | Grant
    | Delete
    | React
    | Set
    | MessageBody
    | Edit
    | CallBody
    | RecordingBody
    | Unknown
)
