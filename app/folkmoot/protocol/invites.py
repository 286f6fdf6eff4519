"""Invitations: the link that is handed over, and the proof made with it (`WIRE.md`, "Invite").

A link is a secret. What is wrong with a pasted one is said as a `UserError`.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

import msgspec

from folkmoot.domain.errors import PeerError, UserError
from folkmoot.domain.identity import SignedCertificate
from folkmoot.domain.ids import ConversationId, EntryId
from folkmoot.domain.names import is_name
from folkmoot.protocol.codec import Bytes32, Conversation32, Entry32, Reader, pack
from folkmoot.protocol.keys import LABEL_JOIN, Signer, verify

LINK_PREFIX = "folkmoot://join/"
LINK_VERSION = 1
MAX_LINK_LENGTH = 4096
MAX_LINK_ADDRESSES = 8
MAX_ADDRESS_LENGTH = 270
_SERVER_PREFIXES = ("wss://", "ws://")
_AGAIN = "Ask for a new one and paste all of it."
_NEWER = "Install the newest version here, then open it again."

Address = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ADDRESS_LENGTH)]


@dataclass(frozen=True, slots=True)
class InviteLink:
    """What an invitation link says. `seed` (32 bytes) makes the invitation's key.

    `addresses`: ``host:port`` of computers of the team, and addresses of signaling servers, which
    begin with ``wss://`` or ``ws://``.
    """

    team: ConversationId
    invite: EntryId
    seed: bytes
    team_name: str
    addresses: tuple[str, ...]

    @property
    def servers(self) -> tuple[str, ...]:
        """The signaling servers among the addresses."""
        return tuple(one for one in self.addresses if one.startswith(_SERVER_PREFIXES))

    @property
    def computers(self) -> tuple[str, ...]:
        """The other addresses."""
        return tuple(one for one in self.addresses if not one.startswith(_SERVER_PREFIXES))


def addresses_for_link(computers: Sequence[str], servers: Sequence[str]) -> tuple[str, ...]:
    """What fits into a link: servers behind the computers, at least a place for half of each."""
    room = max(MAX_LINK_ADDRESSES // 2, MAX_LINK_ADDRESSES - len(computers))
    servers = servers[:room]
    return (*computers[: MAX_LINK_ADDRESSES - len(servers)], *servers)


class _Wire(msgspec.Struct, array_like=True, frozen=True):
    version: int
    team: Conversation32
    invite: Entry32
    seed: Bytes32
    team_name: str
    addresses: Annotated[tuple[Address, ...], msgspec.Meta(max_length=MAX_LINK_ADDRESSES)]


_READER: Reader[_Wire] = Reader(_Wire, "wrong_invitation")


def write_link(link: InviteLink) -> str:
    """The link as text; of the addresses the first eight."""
    wire = _Wire(
        LINK_VERSION,
        link.team,
        link.invite,
        link.seed,
        link.team_name,
        link.addresses[:MAX_LINK_ADDRESSES],
    )
    return LINK_PREFIX + urlsafe_b64encode(pack(wire)).rstrip(b"=").decode("ascii")


def read_link(text: str) -> InviteLink:
    """Read a pasted link, spaces around it forgiven. Raises `UserError` ``wrong_invitation``."""
    text = text.strip()
    if not text.startswith(LINK_PREFIX) or len(text) > MAX_LINK_LENGTH:
        raise _wrong("This is not an invitation link.")
    try:
        coded = text.removeprefix(LINK_PREFIX).encode("ascii")
        data = urlsafe_b64decode(coded + b"=" * (-len(coded) % 4))
        wire = _READER.read(data, MAX_LINK_LENGTH)
    except (UnicodeEncodeError, binascii.Error, PeerError) as error:
        raise _wrong("This invitation link is damaged.") from error
    if wire.version != LINK_VERSION:
        raise _wrong("This invitation was made by a newer version of Folkmoot.", _NEWER)
    if urlsafe_b64encode(data).rstrip(b"=") != coded or not is_name(wire.team_name):
        raise _wrong("This invitation link is damaged.")
    return InviteLink(wire.team, wire.invite, wire.seed, wire.team_name, wire.addresses)


def make_proof(
    seed: bytes, team: ConversationId, invite: EntryId, certificate: SignedCertificate
) -> bytes:
    """The joiner's proof of holding the invitation, bound to the certificate: 64 bytes."""
    return Signer(seed).sign(LABEL_JOIN, pack((team, invite, certificate.data)))


def check_proof(
    public_key: bytes,
    team: ConversationId,
    invite: EntryId,
    certificate: SignedCertificate,
    proof: bytes,
) -> bool:
    """Whether `proof` was made for this team, invitation and certificate."""
    return verify(public_key, LABEL_JOIN, pack((team, invite, certificate.data)), proof)


def invite_key(public_key: bytes) -> bytes:
    """The key under which a joiner knocks: SHA-256 of the invitation's public key."""
    return sha256(public_key).digest()


def _wrong(message: str, hint: str = _AGAIN) -> UserError:
    return UserError("wrong_invitation", message, hint)
