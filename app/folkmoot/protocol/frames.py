"""Frames of a proved link, one type per row of `WIRE.md`, "Frames".

`decode` refuses, before anything is built, what is too large, too deep or not canonical, and on a
stranger link every type but the few a stranger may send. Text in frames is plain and bounded.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from folkmoot.domain.entry import MAX_BODY_BYTES, MAX_SEGMENT_ENTRIES
from folkmoot.domain.errors import PeerError
from folkmoot.domain.names import (
    MAX_NAME_LENGTH,
    MAX_NOTE_LENGTH,
    MAX_STATUS_LENGTH,
    is_line,
    is_name,
)
from folkmoot.protocol.codec import (
    Bytes32,
    Conversation32,
    Device32,
    Entry32,
    Natural,
    Reader,
    Signature64,
    check_shape,
    pack,
)
from folkmoot.protocol.entries import MAX_HEADER_BYTES

MAX_FRAME_BYTES = 2**20
MAX_STRANGER_FRAME_BYTES = 4096
MAX_BULK_BYTES = 64 * 1024
"""Content of a segment that is sent in bulk; one entry alone may always go."""
MAX_ROWS = 1000
MAX_WANTED = 256
MAX_ADDRESSES = 8
MAX_ADDRESS_ROWS = 64
MAX_TEAMS = 16

Meta = msgspec.Meta
Name = Annotated[str, Meta(max_length=MAX_NAME_LENGTH)]
Code = Annotated[str, Meta(max_length=32)]
Words = Annotated[str, Meta(max_length=200)]
Address = Annotated[str, Meta(min_length=1, max_length=270)]
AddressList = Annotated[tuple[Address, ...], Meta(max_length=MAX_ADDRESSES)]
HeaderBytes = Annotated[bytes, Meta(max_length=MAX_HEADER_BYTES)]
BodyBytes = Annotated[bytes, Meta(max_length=MAX_BODY_BYTES)]
DigestRow = tuple[Conversation32, Bytes32]
AckRow = tuple[Device32, Entry32, Natural, Entry32]
BodyRow = tuple[Entry32, BodyBytes]
AddressRow = tuple[Device32, AddressList]


class Frame(msgspec.Struct, array_like=True, frozen=True):
    """Base of every frame. `lines` and `names` are the fields that hold text of a peer."""

    lines: ClassVar[tuple[str, ...]] = ()
    names: ClassVar[tuple[str, ...]] = ()


class Hello(Frame, frozen=True, tag=1):
    """Who is there; `port` 0: not listening. Addresses are ``host:port``."""

    lines = ("app_version",)
    names = ("device_name",)
    version: Natural
    app_version: Annotated[str, Meta(max_length=64)]
    device_name: Name
    port: Annotated[int, Meta(ge=0, le=65535)]
    addresses: AddressList


class Ping(Frame, frozen=True, tag=2):
    """Answer with a pong of the same number."""

    n: Natural


class Pong(Frame, frozen=True, tag=3):
    """The answer to a ping."""

    n: Natural


class Bye(Frame, frozen=True, tag=4):
    """Why the link is closed, for the log of the other side."""

    lines = ("code", "words")
    code: Code
    words: Words


class Digest(Frame, frozen=True, tag=16):
    """The overall digest of what may be shown to the peer."""

    digest: Bytes32


class Digests(Frame, frozen=True, tag=17):
    """The digest of each conversation; `more`: another such frame follows."""

    rows: Annotated[tuple[DigestRow, ...], Meta(max_length=MAX_ROWS)]
    more: bool


class VectorRow(msgspec.Struct, array_like=True, frozen=True):
    """What is held of one log: headers from `low`, bodies from `full`, up to `high` with `id`."""

    device: Device32
    grant: Entry32
    high: Natural
    id: Entry32
    low: Natural = 1
    full: Natural = 1


class Vectors(Frame, frozen=True, tag=18):
    """The logs held of one conversation; `more`: another such frame follows."""

    conversation: Conversation32
    rows: Annotated[tuple[VectorRow, ...], Meta(max_length=MAX_ROWS)]
    more: bool


class Segment(Frame, frozen=True, tag=19):
    """Consecutive entries of one log, proved by the signature of the last one."""

    conversation: Conversation32
    device: Device32
    grant: Entry32
    first: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    headers: Annotated[tuple[HeaderBytes, ...], Meta(min_length=1, max_length=MAX_SEGMENT_ENTRIES)]
    signature: Signature64
    bodies: Annotated[
        tuple[BodyBytes | None, ...], Meta(min_length=1, max_length=MAX_SEGMENT_ENTRIES)
    ]


class Ack(Frame, frozen=True, tag=20):
    """Rows (device, grant, sequence, id): durable here, up to that entry."""

    conversation: Conversation32
    rows: Annotated[tuple[AckRow, ...], Meta(max_length=MAX_ROWS)]


class Want(Frame, frozen=True, tag=21):
    """Bodies that are missing here."""

    conversation: Conversation32
    ids: Annotated[tuple[Entry32, ...], Meta(max_length=MAX_WANTED)]


class Bodies(Frame, frozen=True, tag=22):
    """Rows (entry, body): the answer to a want, as far as held."""

    conversation: Conversation32
    rows: Annotated[tuple[BodyRow, ...], Meta(max_length=MAX_WANTED)]


class Typing(Frame, frozen=True, tag=32):
    """The person of this device writes, or no longer; `thread` ZERO: in the conversation itself."""

    conversation: Conversation32
    thread: Entry32
    on: bool


class Presence(Frame, frozen=True, tag=33):
    """``online``, ``away`` or ``dnd``, and words that end at `until_ms` (0: never)."""

    lines = ("state", "text")
    state: Code
    text: Annotated[str, Meta(max_length=MAX_STATUS_LENGTH)]
    until_ms: Natural


class Addresses(Frame, frozen=True, tag=34):
    """Where devices of shared teams were reached."""

    rows: Annotated[tuple[AddressRow, ...], Meta(max_length=MAX_ADDRESS_ROWS)]


class TeamsWanted(Frame, frozen=True, tag=48):
    """Which visible teams are here?"""


class TeamRow(msgspec.Struct, array_like=True, frozen=True):
    """A visible team; `may_admit`: this node's person may let somebody in."""

    team: Conversation32
    name: Name
    computers_online: Natural
    may_admit: bool


class Teams(Frame, frozen=True, tag=49):
    """The visible teams."""

    rows: Annotated[tuple[TeamRow, ...], Meta(max_length=MAX_TEAMS)]


class Ask(Frame, frozen=True, tag=50):
    """Let me into the team; `commitment` is the hash of n1 (`protocol.words`)."""

    lines = ("note",)
    names = ("person_name",)
    team: Conversation32
    person_name: Name
    note: Annotated[str, Meta(max_length=MAX_NOTE_LENGTH)]
    commitment: Bytes32


class Asked(Frame, frozen=True, tag=51):
    """``waiting``, ``declined``, ``admitted``, ``full`` or ``cannot``; `n2` ZERO if none."""

    lines = ("state",)
    team: Conversation32
    state: Code
    n2: Bytes32


class Reveal(Frame, frozen=True, tag=52):
    """n1 itself, after n2 came: now both sides know the four words."""

    team: Conversation32
    n1: Bytes32


class Join(Frame, frozen=True, tag=53):
    """Let me in by this invitation; the certificate is the one of the handshake."""

    names = ("person_name",)
    team: Conversation32
    invite: Entry32
    person_name: Name
    proof: Signature64


class Joined(Frame, frozen=True, tag=54):
    """``ok``, ``unknown_invitation``, ``expired``, ``used_up`` or ``already``, and words."""

    lines = ("code", "words")
    team: Conversation32
    code: Code
    words: Words


_STRANGER_TYPES: tuple[type[Frame], ...] = (
    *(Hello, Ping, Pong, Bye),
    *(TeamsWanted, Teams, Ask, Asked, Reveal, Join, Joined),
)
_MEMBER_TYPES: tuple[type[Frame], ...] = (
    *(Digest, Digests, Vectors, Segment, Ack, Want, Bodies),
    *(Typing, Presence, Addresses),
)


def _tag(frame: type[Frame]) -> int:
    tag = frame.__struct_config__.tag
    assert isinstance(tag, int)
    return tag


STRANGER_FRAMES = frozenset(map(_tag, _STRANGER_TYPES))
_READERS: dict[int, Reader[Frame]] = {
    _tag(frame): Reader(frame, "bad_frame") for frame in _STRANGER_TYPES + _MEMBER_TYPES
}


def encode(frame: Frame) -> bytes:
    """The bytes of a frame."""
    return pack(frame)


def decode(data: bytes, stranger: bool) -> Frame:
    """Read a frame; `stranger` says that it came on a stranger link.

    Raises `PeerError` ``too_large``, ``not_canonical``, ``unknown_frame``, ``stranger_frame`` or
    ``bad_frame``.
    """
    check_shape(data, MAX_STRANGER_FRAME_BYTES if stranger else MAX_FRAME_BYTES)
    kind = _kind(data)
    reader = _READERS.get(kind)
    if reader is None:
        raise PeerError("unknown_frame", f"frame type {kind}")
    if stranger and kind not in STRANGER_FRAMES:
        raise PeerError("stranger_frame", f"frame type {kind} on a stranger link")
    frame = reader.convert(data)
    if pack(frame) != data:
        raise PeerError("not_canonical", "the frame has fields or forms that are not allowed")
    _check_text(frame)
    return frame


def _kind(data: bytes) -> int:
    """The type of a frame whose shape was walked; all types are below 128, so one byte."""
    if len(data) < 2 or not 0x91 <= data[0] <= 0x9F or data[1] > 0x7F:
        raise PeerError("bad_frame", "a frame is an array that begins with its type")
    return data[1]


def _check_text(frame: Frame) -> None:
    for field in frame.lines:
        if not is_line(getattr(frame, field), MAX_FRAME_BYTES):
            raise PeerError("bad_frame", f"{field} holds control characters")
    named = [getattr(frame, field) for field in frame.names]
    if isinstance(frame, Teams):
        named += [row.name for row in frame.rows]
    if not all(map(is_name, named)):
        raise PeerError("bad_frame", "a name is not allowed")
    if isinstance(frame, Segment) and len(frame.headers) != len(frame.bodies):
        raise PeerError("bad_frame", "a segment has as many bodies as headers")
