"""Bodies on the wire: ``[salt, fields…]`` per kind (`WIRE.md`, "Bodies").

A body of a known kind that breaks its bounds is refused with its entry. Fields after the known
ones are kept, since the bytes are kept; a kind without effect needs only the salt. Every array of a
known shape has a greatest length, so that reading it builds nothing beyond its bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from folkmoot.domain import bodies as b
from folkmoot.domain.direct import MAX_DIRECT_PERSONS, MIN_DIRECT_PERSONS
from folkmoot.domain.entry import MAX_BODY_BYTES
from folkmoot.domain.errors import PeerError
from folkmoot.domain.identity import SignedCertificate
from folkmoot.domain.names import is_emoji, is_name, is_text
from folkmoot.protocol.certificates import CertificatePair
from folkmoot.protocol.codec import (
    Bytes32,
    Device32,
    Entry32,
    Natural,
    Person32,
    Reader,
    Signature64,
    check_shape,
    pack,
    unpack,
)

SALT_BYTES = 16
MAX_MENTIONS = 200
MAX_FILES = 32
MAX_FILE_BYTES = 1024
MAX_SET_KEY_LENGTH = 64
MAX_ITEMS = 1000
"""Of any other array: more do not fit into a body."""
MAX_SET_VALUE_BYTES = 1024
MAX_CALL_PERSONS = 256
MAX_CALL_SECONDS = 2**32 - 1

Salt = Annotated[bytes, msgspec.Meta(min_length=SALT_BYTES, max_length=SALT_BYTES)]
Role = Annotated[int, msgspec.Meta(ge=0, le=3)]
History = Annotated[int, msgspec.Meta(ge=0, le=b.HISTORY_ALL)]
Mentions = Annotated[tuple[Person32, ...], msgspec.Meta(max_length=MAX_MENTIONS)]
FileBytes = Annotated[bytes, msgspec.Meta(max_length=MAX_FILE_BYTES)]
Files = Annotated[tuple[FileBytes, ...], msgspec.Meta(max_length=MAX_FILES)]
Entries = Annotated[tuple[Entry32, ...], msgspec.Meta(max_length=MAX_ITEMS)]
Persons = Annotated[tuple[Person32, ...], msgspec.Meta(max_length=MAX_DIRECT_PERSONS)]
CutRow = tuple[Device32, Entry32, Natural, Entry32]
CallPersons = Annotated[tuple[Person32, ...], msgspec.Meta(max_length=MAX_CALL_PERSONS)]
CallSeconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_CALL_SECONDS)]
Cuts = Annotated[tuple[CutRow, ...], msgspec.Meta(max_length=MAX_ITEMS)]


class _Wire(msgspec.Struct, array_like=True, frozen=True):
    salt: Salt


class _Open(_Wire, frozen=True):
    certificate: CertificatePair
    persons: Persons


class _Genesis(_Wire, frozen=True):
    name: str
    certificate: CertificatePair


class _Channel(_Wire, frozen=True):
    name: str
    posts: Role


class _Invite(_Wire, frozen=True):
    public_key: Bytes32
    role: Role
    may_invite: bool
    channels: Entries
    history: History
    expires_ms: Natural
    uses: Natural


class _Admit(_Wire, frozen=True):
    invite: Entry32
    certificate: CertificatePair
    proof: Signature64


class _Grant(_Wire, frozen=True):
    person: Person32
    role: Role
    may_invite: bool
    channels: Entries
    history: History
    after: Entries
    ends: Entries
    cuts: Cuts


class _Delete(_Wire, frozen=True):
    target: Entry32


class _React(_Wire, frozen=True):
    target: Entry32
    emoji: str
    on: bool
    replaces: Entries


class _Set(_Wire, frozen=True):
    key: str
    value: Any
    replaces: Entries


class _Message(_Wire, frozen=True):
    text: str
    thread: Entry32
    reply: Entry32
    also_in_channel: bool
    mentions: Mentions
    files: Files


class _Edit(_Wire, frozen=True):
    target: Entry32
    text: str
    files: Files
    replaces: Entries


class _Call(_Wire, frozen=True):
    call: Bytes32
    state: Natural
    video: bool
    persons: CallPersons
    seconds: CallSeconds


class _Recording(_Wire, frozen=True):
    call: Bytes32
    state: Natural
    seconds: CallSeconds


def _signed(pair: tuple[bytes, bytes]) -> SignedCertificate:
    return SignedCertificate(*pair)


def _pair(signed: SignedCertificate) -> tuple[bytes, bytes]:
    return signed.data, signed.signature


def _require(good: bool, reason: str) -> None:
    if not good:
        raise PeerError("bad_body", reason)


# --- from the wire ------------------------------------------------------------------------------


def _read_open(wire: _Open) -> b.Open:
    persons = wire.persons
    _require(persons == tuple(sorted(set(persons))), "persons of an open are not sorted")
    _require(not persons or len(persons) >= MIN_DIRECT_PERSONS, "a direct conversation of one")
    return b.Open(_signed(wire.certificate), persons)


def _read_genesis(wire: _Genesis) -> b.Genesis:
    _require(is_name(wire.name), "the team's name is not allowed")
    return b.Genesis(wire.name, _signed(wire.certificate))


def _read_channel(wire: _Channel) -> b.Channel:
    _require(is_name(wire.name), "the channel's name is not allowed")
    return b.Channel(wire.name, b.Level(wire.posts))


def _read_invite(wire: _Invite) -> b.Invite:
    return b.Invite(
        wire.public_key,
        b.Level(wire.role),
        wire.may_invite,
        wire.channels,
        wire.history,
        wire.expires_ms,
        wire.uses,
    )


def _read_admit(wire: _Admit) -> b.Admit:
    return b.Admit(wire.invite, _signed(wire.certificate), wire.proof)


def _read_grant(wire: _Grant) -> b.Grant:
    return b.Grant(
        wire.person,
        b.Level(wire.role),
        wire.may_invite,
        wire.channels,
        wire.history,
        wire.after,
        wire.ends,
        tuple(b.Cut(*row) for row in wire.cuts),
    )


def _read_react(wire: _React) -> b.React:
    _require(is_emoji(wire.emoji), "the emoji is not allowed")
    return b.React(wire.target, wire.emoji, wire.on, wire.replaces)


def _read_set(wire: _Set) -> b.Set:
    _require(0 < len(wire.key) <= MAX_SET_KEY_LENGTH, "the key is empty or too long")
    _require("\0" not in wire.key, "the key holds a NUL")
    _require(not isinstance(wire.value, list), "the value is an array")
    _require(len(pack(wire.value)) <= MAX_SET_VALUE_BYTES, "the value is over 1 KiB")
    return b.Set(wire.key, wire.value, wire.replaces)


def _read_message(wire: _Message) -> b.MessageBody:
    _require(is_text(wire.text), "the text is too long or holds a NUL")
    return b.MessageBody(
        wire.text, wire.thread, wire.reply, wire.also_in_channel, wire.mentions, wire.files
    )


def _read_edit(wire: _Edit) -> b.Edit:
    _require(is_text(wire.text), "the text is too long or holds a NUL")
    return b.Edit(wire.target, wire.text, wire.files, wire.replaces)


def _read_call(wire: _Call) -> b.CallBody:
    persons = wire.persons
    _require(persons == tuple(sorted(set(persons))), "persons of a call are not sorted")
    return b.CallBody(wire.call, wire.state, wire.video, persons, wire.seconds)


# --- to the wire --------------------------------------------------------------------------------


def _write_grant(body: b.Grant, salt: bytes) -> _Grant:
    return _Grant(
        salt,
        body.person,
        body.role,
        body.may_invite,
        body.channels,
        body.history,
        body.after,
        body.ends,
        tuple((cut.device, cut.grant, cut.sequence, cut.id) for cut in body.cuts),
    )


def _write_invite(body: b.Invite, salt: bytes) -> _Invite:
    return _Invite(
        salt,
        body.public_key,
        body.role,
        body.may_invite,
        body.channels,
        body.history,
        body.expires_ms,
        body.uses,
    )


def _write_message(body: b.MessageBody, salt: bytes) -> _Message:
    return _Message(
        salt,
        body.text,
        body.thread,
        body.reply,
        body.also_in_channel,
        body.mentions,
        body.files,
    )


@dataclass(frozen=True, slots=True)
class _Form:
    """How one kind is read and written."""

    reader: Reader[Any]
    from_wire: Callable[[Any], b.Body]
    to_wire: Callable[[Any, bytes], _Wire]


def _form(
    shape: type[_Wire], from_wire: Callable[[Any], b.Body], to_wire: Callable[[Any, bytes], _Wire]
) -> _Form:
    return _Form(Reader(shape, "bad_body"), from_wire, to_wire)


_FORMS: dict[int, _Form] = {
    b.Open.kind: _form(
        _Open, _read_open, lambda o, salt: _Open(salt, _pair(o.certificate), o.persons)
    ),
    b.Genesis.kind: _form(
        _Genesis, _read_genesis, lambda g, salt: _Genesis(salt, g.name, _pair(g.certificate))
    ),
    b.Channel.kind: _form(_Channel, _read_channel, lambda c, salt: _Channel(salt, c.name, c.posts)),
    b.Invite.kind: _form(_Invite, _read_invite, _write_invite),
    b.Admit.kind: _form(
        _Admit,
        _read_admit,
        lambda a, salt: _Admit(salt, a.invite, _pair(a.certificate), a.proof),
    ),
    b.Grant.kind: _form(_Grant, _read_grant, _write_grant),
    b.Delete.kind: _form(
        _Delete, lambda d: b.Delete(d.target), lambda d, salt: _Delete(salt, d.target)
    ),
    b.React.kind: _form(
        _React, _read_react, lambda r, salt: _React(salt, r.target, r.emoji, r.on, r.replaces)
    ),
    b.Set.kind: _form(_Set, _read_set, lambda s, salt: _Set(salt, s.key, s.value, s.replaces)),
    b.MessageBody.kind: _form(_Message, _read_message, _write_message),
    b.Edit.kind: _form(
        _Edit, _read_edit, lambda e, salt: _Edit(salt, e.target, e.text, e.files, e.replaces)
    ),
    b.CallBody.kind: _form(
        _Call,
        _read_call,
        lambda c, salt: _Call(salt, c.call, c.state, c.video, c.persons, c.seconds),
    ),
    b.RecordingBody.kind: _form(
        _Recording,
        lambda r: b.RecordingBody(r.call, r.state, r.seconds),
        lambda r, salt: _Recording(salt, r.call, r.state, r.seconds),
    ),
}
_ANY_KIND: Reader[_Wire] = Reader(_Wire, "bad_body")


def encode_body(body: b.Body, salt: bytes) -> bytes:
    """The bytes of a body; `salt` is 16 fresh random bytes.

    What is written is read back: raises `PeerError` like `decode_body` for a body outside its
    bounds, which is a bug of the caller (`domain.names` cleans what people type).
    """
    if isinstance(body, b.Unknown):
        raise ValueError("a body of unknown kind cannot be written")
    data = pack(_FORMS[body.kind].to_wire(body, salt))
    decode_body(body.kind, data)
    return data


def decode_body(kind: int, data: bytes) -> b.Body:
    """Read the body of an entry of `kind`.

    Raises `PeerError` ``too_large`` (over 32 KiB), ``not_canonical`` or ``bad_body``.
    """
    form = _FORMS.get(kind)
    reader = form.reader if form else _ANY_KIND
    if len(data) > MAX_BODY_BYTES or kind == b.Set.kind:  # the value of a set has no known shape
        check_shape(data, MAX_BODY_BYTES)
    wire = reader.convert(data)
    if pack(wire) != data:
        unpack(data, MAX_BODY_BYTES)
    return form.from_wire(wire) if form else b.Unknown(kind)
