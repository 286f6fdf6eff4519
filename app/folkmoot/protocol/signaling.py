"""Messages between a node and a signaling server, one type per row of `SIGNALING.md`.

A WebSocket message is binary: one byte says what it is. Control messages are canonical msgpack
arrays; relayed frames are cut at fixed places and their content is never looked at. Refuses, before
anything is built, what is too large, too deep, not canonical, or of an unknown kind. Both the
server (`folkmoot_signaling`) and the node (`folkmoot.net`) read and write with this module.
"""

from __future__ import annotations

import hmac
from typing import Annotated, Final

import msgspec

from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.codec import (
    Bytes32,
    Device32,
    Natural,
    Reader,
    Signature64,
    check_shape,
    pack,
)
from folkmoot.protocol.keys import Signer, verify

SIGNALING_VERSION = 1
SIGNALING_PATH = "/signal"
LABEL_LOGIN = "folkmoot/signal/login/1"
LABEL_MAIL = "folkmoot/signal/mail/1"

CONTROL: Final = 0
RELAY: Final = 1

MAX_CONTROL_BYTES = 64 * 1024
MAX_RELAYED_BYTES = 16 * 1024
RELAY_HEADER_BYTES = 34
MAX_MESSAGE_BYTES = MAX_CONTROL_BYTES + 1
"""No WebSocket message is longer, in either direction."""
TAG_BYTES = 16
MAX_TAGS = 64
"""Rooms that one connection may be in."""
MAX_ROOM_DEVICES = 256
MAX_ENVELOPE_BYTES = 48 * 1024
MAX_MAIL_IDS = 64
MAX_TURN_URLS = 4
TOKEN_S = 15 * 60
MAX_RESUME_BYTES = 32

Meta = msgspec.Meta
Tag = Annotated[bytes, Meta(min_length=TAG_BYTES, max_length=TAG_BYTES)]
Tags = Annotated[tuple[Tag, ...], Meta(max_length=MAX_TAGS)]
Devices = Annotated[tuple[Device32, ...], Meta(max_length=MAX_ROOM_DEVICES)]
MailId = Annotated[bytes, Meta(min_length=16, max_length=16)]
Short = Annotated[str, Meta(max_length=512)]
Code = Annotated[str, Meta(max_length=32)]
Words = Annotated[str, Meta(max_length=200)]
Resume = Annotated[bytes, Meta(max_length=MAX_RESUME_BYTES)]


class Control(msgspec.Struct, array_like=True, frozen=True):
    """Base of the control messages; the first item of the array is the kind."""


class Limits(msgspec.Struct, array_like=True, frozen=True):
    """What the server takes of one connection; 0: no mailbox."""

    relayed_bytes: Natural
    frames_per_s: Natural
    bytes_per_s: Natural
    rooms: Natural
    room_devices: Natural
    mail_bytes: Natural
    mail_s: Natural


class Turn(msgspec.Struct, array_like=True, frozen=True):
    """Relays for media (RFC 8656) with credentials that hold `valid_s` seconds; no urls: none."""

    urls: Annotated[tuple[Short, ...], Meta(max_length=MAX_TURN_URLS)] = ()
    username: Short = ""
    credential: Short = ""
    valid_s: Natural = 0


# --- from the server ---------------------------------------------------------------------------


class Hello(Control, frozen=True, tag=1):
    """The first message: who the server is, what it takes, and the challenge (32 random bytes)."""

    version: Natural
    server: Bytes32
    nonce: Bytes32
    limits: Limits


class Ready(Control, frozen=True, tag=2):
    """The login is good. `token`: JWT for REST, valid `token_s` seconds, as this connection is.

    `resume` given at the next login within a minute keeps the rooms as if nothing had happened.
    `stun_port`: UDP port of this server that answers binding requests (RFC 8489); 0: none.
    """

    token: Annotated[str, Meta(max_length=1024)]
    token_s: Natural
    resume: Resume
    stun_port: Annotated[int, Meta(ge=0, le=65535)]
    turn: Turn
    resumed: bool = False


class Room(Control, frozen=True, tag=3):
    """Everybody else who is under a tag now: the answer to `Enter`."""

    tag: Tag
    devices: Devices


class Came(Control, frozen=True, tag=4):
    """A device came under a tag."""

    tag: Tag
    device: Device32


class Went(Control, frozen=True, tag=5):
    """A device is no longer under a tag."""

    tag: Tag
    device: Device32


class Gone(Control, frozen=True, tag=6):
    """A relayed frame could not be handed on: this device is not here. At most once a second."""

    device: Device32


class Restarting(Control, frozen=True, tag=7):
    """The server goes away: connect again after `after_ms`, to `url` if there is one."""

    after_ms: Natural
    url: Short = ""


class Error(Control, frozen=True, tag=8):
    """Something was refused. `retry_after_ms` 0: doing it again changes nothing.

    `code`: ``bad_message``, ``bad_login``, ``foreign_origin``, ``bad_version``, ``replaced`` (by a
    newer connection of this key), ``expired``, ``too_many_connections``, ``too_many_logins``,
    ``too_fast``, ``too_slow`` (this receiver does not read), ``too_many_rooms``, ``room_full``,
    ``no_mailbox``, ``mail_refused`` (no grant), ``mail_full``, ``busy``.
    """

    code: Code
    words: Words
    retry_after_ms: Natural = 0


class Challenge(Control, frozen=True, tag=9):
    """The answer to `Renew`: sign this."""

    nonce: Bytes32


class Renewed(Control, frozen=True, tag=10):
    """The connection holds on: a new token and new credentials."""

    token: Annotated[str, Meta(max_length=1024)]
    token_s: Natural
    turn: Turn


class Mail(Control, frozen=True, tag=11):
    """An envelope that waited. It comes again until it is `Taken`."""

    id: MailId
    sealed: Annotated[bytes, Meta(max_length=MAX_ENVELOPE_BYTES)]


class Kept(Control, frozen=True, tag=12):
    """The envelope `id` of a `Put` waits for its recipient for `kept_s` seconds; 0: refused,
    for the reason in `code` (as of `Error`)."""

    id: MailId
    kept_s: Natural
    code: Code = ""


# --- from the node -----------------------------------------------------------------------------


class Login(Control, frozen=True, tag=33):
    """Who connects. `origin`: the URL that was dialled; `signature`: over `login_bytes`."""

    version: Natural
    device: Device32
    origin: Short
    signature: Signature64
    resume: Resume = b""


class Enter(Control, frozen=True, tag=34):
    """Be under these tags as well; for each a `Room` comes."""

    tags: Tags


class Leave(Control, frozen=True, tag=35):
    """Be under these tags no more."""

    tags: Tags


class Renew(Control, frozen=True, tag=36):
    """The token is about to expire: challenge me again."""


class Prove(Control, frozen=True, tag=37):
    """The answer to `Challenge`, signed as `Login.signature`."""

    signature: Signature64


class Put(Control, frozen=True, tag=38):
    """Keep an envelope for a device. `grant`: what that device gave us (`MailGrant`, packed)."""

    id: MailId
    recipient: Device32
    grant: Annotated[bytes, Meta(max_length=256)]
    keep_s: Natural
    sealed: Annotated[bytes, Meta(max_length=MAX_ENVELOPE_BYTES)]


class Taken(Control, frozen=True, tag=39):
    """These envelopes are stored durably here: forget them."""

    ids: Annotated[tuple[MailId, ...], Meta(max_length=MAX_MAIL_IDS)]


class MailGrant(msgspec.Struct, array_like=True, frozen=True):
    """A recipient lets one device put envelopes for it, until a time of the server's clock (Unix,
    seconds). Signed by the recipient's device key under ``folkmoot/signal/mail/1``."""

    recipient: Device32
    sender: Device32
    until_s: Natural
    signature: Signature64


FROM_SERVER: tuple[type[Control], ...] = (
    *(Hello, Ready, Room, Came, Went, Gone, Restarting, Error, Challenge, Renewed, Mail, Kept),
)
FROM_NODE: tuple[type[Control], ...] = (Login, Enter, Leave, Renew, Prove, Put, Taken)

_SMALL = 4 * 1024
_BOUNDS: dict[type[Control], int] = {
    Room: 12 * 1024,
    Mail: MAX_CONTROL_BYTES,
    Put: MAX_CONTROL_BYTES,
}
_READERS: dict[int, tuple[Reader[Control], int, bool]] = {}
for _kind in (*FROM_SERVER, *FROM_NODE):
    _number = _kind.__struct_config__.tag
    assert isinstance(_number, int)
    _READERS[_number] = (
        Reader(_kind, "bad_message"),
        _BOUNDS.get(_kind, _SMALL),
        _number < 32,
    )


def write_control(message: Control) -> bytes:
    """One whole WebSocket message."""
    return b"\x00" + pack(message)


def read_control(data: bytes, *, from_server: bool) -> Control:
    """The control message in a whole WebSocket message whose first byte is `CONTROL`.

    Raises `PeerError` ``too_large``, ``not_canonical``, ``bad_message`` (an unknown kind, a kind of
    the other direction, wrong fields).
    """
    content = data[1:]
    # An array of at most 15 items whose first is the kind, below 128: two bytes say which it is.
    kind = content[1] if len(content) > 1 and content[0] & 0xF0 == 0x90 else -1
    found = _READERS.get(kind)
    if found is None or found[2] is not from_server:
        check_shape(content, _SMALL)
        raise PeerError("bad_message", f"a message of kind {kind} is not expected")
    reader, bound, _ = found
    return reader.read(content, bound)


def write_relay(device: DeviceId, payload: bytes, flags: int = 0) -> bytes:
    """A relayed frame: to the server with its destination, from the server with its source.

    `payload`: 1 to `MAX_RELAYED_BYTES`; a longer one is a bug of ours (`ValueError`).
    """
    if not 0 < len(payload) <= MAX_RELAYED_BYTES:
        raise ValueError(f"a relayed frame of {len(payload)} bytes")
    return b"\x01" + device + bytes((flags,)) + payload


def read_relay(data: bytes) -> tuple[DeviceId, int, bytes]:
    """(device, flags, payload) of a message whose first byte is `RELAY`. Raises `PeerError`."""
    if not RELAY_HEADER_BYTES < len(data) <= RELAY_HEADER_BYTES + MAX_RELAYED_BYTES:
        raise PeerError("bad_message", f"a relayed frame of {len(data)} bytes")
    return DeviceId(data[1:33]), data[33], data[RELAY_HEADER_BYTES:]


def login_bytes(server: bytes, origin: str, nonce: bytes) -> bytes:
    """What is signed at a login, under `LABEL_LOGIN`: no challenge serves at another place."""
    return pack((server, origin, nonce))


def rendezvous_tag(key: bytes, origin: str) -> bytes:
    """The tag under which those who know `key` meet at a server; another at each server."""
    data = b"folkmoot/rendezvous/1\0" + origin.encode()
    return hmac.digest(key, data, "sha256")[:TAG_BYTES]


def make_grant(signer: Signer, sender: DeviceId, until_s: int) -> bytes:
    """The recipient's leave for `sender` to put envelopes, packed: at most 256 bytes."""
    recipient = DeviceId(signer.public)
    signature = signer.sign(LABEL_MAIL, pack((recipient, sender, until_s)))
    return pack(MailGrant(recipient, sender, until_s, signature))


_GRANT: Reader[MailGrant] = Reader(MailGrant, "bad_message")


def read_grant(data: bytes) -> MailGrant:
    """The grant in `data`, its signature checked. Raises `PeerError`."""
    grant = _GRANT.read(data, 256)
    signed = pack((grant.recipient, grant.sender, grant.until_s))
    if not verify(grant.recipient, LABEL_MAIL, signed, grant.signature):
        raise PeerError("bad_message", "the grant is not signed by its recipient")
    return grant
