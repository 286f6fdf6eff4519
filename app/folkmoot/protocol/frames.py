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
    MAX_EMOJI_BYTES,
    MAX_NAME_LENGTH,
    MAX_NOTE_LENGTH,
    MAX_STATUS_LENGTH,
    is_emoji,
    is_line,
    is_name,
)
from folkmoot.protocol.codec import (
    Bytes32,
    Conversation32,
    Device32,
    Entry32,
    Natural,
    Person32,
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
MAX_CANDIDATES = 32
MAX_SERVERS = 8
MAX_TEAMS = 16
MAX_RINGS = 64
MAX_SDP_CHARACTERS = 24 * 1024
MAX_CONNECTION = 2**31 - 1

Meta = msgspec.Meta
Name = Annotated[str, Meta(max_length=MAX_NAME_LENGTH)]
Code = Annotated[str, Meta(max_length=32)]
Words = Annotated[str, Meta(max_length=200)]
Address = Annotated[str, Meta(min_length=1, max_length=270)]
AddressList = Annotated[tuple[Address, ...], Meta(max_length=MAX_ADDRESSES)]
ServerText = Annotated[str, Meta(min_length=1, max_length=270)]
IceText = Annotated[str, Meta(max_length=64)]
Candidate = Annotated[str, Meta(min_length=1, max_length=200)]
GrantBytes = Annotated[bytes, Meta(max_length=256)]
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


class IceOffer(Frame, frozen=True, tag=35):
    """Let us look for a direct way: our side of ICE. `n` is greater than in all offers before."""

    n: Natural
    ufrag: IceText
    password: IceText
    candidates: Annotated[tuple[Candidate, ...], Meta(max_length=MAX_CANDIDATES)]


class IceAnswer(Frame, frozen=True, tag=36):
    """The other side of offer `n`; no candidates: not now."""

    n: Natural
    ufrag: IceText
    password: IceText
    candidates: Annotated[tuple[Candidate, ...], Meta(max_length=MAX_CANDIDATES)]


class MailGrants(Frame, frozen=True, tag=37):
    """You may leave sealed envelopes for this device at these servers (`SIGNALING.md`)."""

    rows: Annotated[tuple[tuple[ServerText, GrantBytes], ...], Meta(max_length=MAX_SERVERS)]


class CallState(Frame, frozen=True, tag=64):
    """How this device stands in a call: ``joined``, ``left``, ``declined`` or ``busy``.

    `sequence` grows with each that a device sends over one link. `flags`: the bits ``CALL_…``.
    """

    lines = ("state",)
    call: Bytes32
    conversation: Conversation32
    sequence: Natural
    state: Code
    flags: Annotated[int, Meta(ge=0, le=255)]
    started_ms: Natural
    started_by: Person32
    rings: Annotated[tuple[Person32, ...], Meta(max_length=MAX_RINGS)]


CALL_MICROPHONE, CALL_CAMERA, CALL_HAND, CALL_LOCKED, CALL_VIDEO = 1, 2, 4, 8, 16
"""`CALL_VIDEO`: the call was started with cameras."""
CALL_SCREEN, CALL_PAUSED, CALL_RECORDS = 32, 64, 128
"""A screen is shared, and the share is paused; this device makes a recording."""

Sdp = Annotated[str, Meta(min_length=1, max_length=MAX_SDP_CHARACTERS)]
Connection = Annotated[int, Meta(ge=1, le=MAX_CONNECTION)]


class CallOffer(Frame, frozen=True, tag=65):
    """A session description (RFC 8866) for a new connection between the two devices."""

    call: Bytes32
    connection: Connection
    sdp: Sdp


class CallAnswer(Frame, frozen=True, tag=66):
    """The answer to the offer of that number."""

    call: Bytes32
    connection: Connection
    sdp: Sdp


class CallAgain(Frame, frozen=True, tag=67):
    """Nothing comes over that connection: make one of a greater number."""

    call: Bytes32
    connection: Annotated[int, Meta(ge=0, le=MAX_CONNECTION)]


class CallAct(Frame, frozen=True, tag=68):
    """``mute``, ``remove``, ``lock``, ``unlock`` or ``end``; `person` ZERO: none, or everybody."""

    lines = ("action",)
    call: Bytes32
    action: Code
    person: Person32


class CallReact(Frame, frozen=True, tag=69):
    """An emoji shown to everybody in the call for a moment."""

    call: Bytes32
    emoji: Annotated[str, Meta(max_length=MAX_EMOJI_BYTES)]


class CallInk(Frame, frozen=True, tag=70):
    """A pointer or a stroke over what `presenter` shares.

    `action`: ``point`` (one place), ``gone`` (no pointer any more), ``stroke`` (places that
    continue stroke `stroke` of this device) or ``clear`` (by the presenter: everything). `places`
    has x and y in turn, in 1/65,535 of the shared picture.
    """

    lines = ("action",)
    call: Bytes32
    presenter: Bytes32
    action: Code
    stroke: Natural
    places: Annotated[tuple[Annotated[int, Meta(ge=0, le=65535)], ...], Meta(max_length=128)]


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
    *(Typing, Presence, Addresses, IceOffer, IceAnswer, MailGrants),
    *(CallState, CallOffer, CallAnswer, CallAgain, CallAct, CallReact, CallInk),
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


def is_sdp(text: str) -> bool:
    """Whether `text` may be a session description: printable ASCII in lines, not too long."""
    printable = text.replace("\r\n", "").isprintable()
    return 0 < len(text) <= MAX_SDP_CHARACTERS and text.isascii() and printable


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
    if isinstance(frame, CallOffer | CallAnswer) and not is_sdp(frame.sdp):
        raise PeerError("bad_frame", "a description is printable ASCII in lines")
    if isinstance(frame, CallReact) and not is_emoji(frame.emoji):
        raise PeerError("bad_frame", "the emoji is not allowed")
    if isinstance(frame, Segment) and len(frame.headers) != len(frame.bodies):
        raise PeerError("bad_frame", "a segment has as many bodies as headers")
