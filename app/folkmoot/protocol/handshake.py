"""The proofs at the start of a link, without input or output (`WIRE.md`, "Handshake").

Four frames on a TLS 1.3 stream that authenticates nobody by itself. Both sides bind what they sign
to the TLS certificate they see, so a relaying attacker, who has two, is refused by both. A dialler
shows who it is only to a listener that proved to know its key, unless it asked for a stranger link;
a listener only to a dialler that proved its device. Random bytes are arguments. After an error or
the end a machine takes nothing more.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Annotated

import msgspec

from folkmoot.domain.errors import PeerError
from folkmoot.domain.hashing import tagged, tagged_hash
from folkmoot.domain.identity import Certificate, SignedCertificate
from folkmoot.domain.ids import ZERO, DeviceId
from folkmoot.protocol.certificates import CertificatePair, read_certificate
from folkmoot.protocol.codec import Bytes32, Device32, Natural, Reader, Signature64, pack
from folkmoot.protocol.keys import LABEL_LINK_DIAL, LABEL_LINK_LISTEN, Signer, verify

LINK_VERSION = 1
MAX_VERSIONS = 8
MAX_KEYS = 256
MAX_HANDSHAKE_FRAME_BYTES = 4096
NONCE_BYTES = 32
LABEL_KNOCK_DIAL = "folkmoot/knock/dial/1"
LABEL_KNOCK_LISTEN = "folkmoot/knock/listen/1"
LABEL_HELLOS = "folkmoot/link/hellos/1"
LABEL_LINK = "folkmoot/link/1"


@dataclass(frozen=True, slots=True)
class LinkIdentity:
    """Who we are on a link: the certificate and the key of the device it names."""

    certificate: SignedCertificate
    signer: Signer


@dataclass(frozen=True, slots=True)
class Proved:
    """The other side, proved. `key_index` None: a stranger link, on which only S frames go.

    `key_index` is the place, among the keys given, of the one that matched; `link` is H, 32 bytes
    that only these two ends of this link share.
    """

    certificate: Certificate
    signed: SignedCertificate
    key_index: int | None
    link: bytes
    version: int

    @property
    def stranger(self) -> bool:
        """Whether no shared key was proved."""
        return self.key_index is None


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from a frame: send `reply` (if any); `proved` ends the handshake."""

    reply: bytes | None = None
    proved: Proved | None = None


class _Frame1(msgspec.Struct, array_like=True, frozen=True):
    versions: Annotated[tuple[Natural, ...], msgspec.Meta(min_length=1, max_length=MAX_VERSIONS)]
    nonce: Bytes32
    knock: Bytes32


class _Frame2(msgspec.Struct, array_like=True, frozen=True):
    version: Natural
    nonce: Bytes32
    knock: Bytes32


class _Frame3(msgspec.Struct, array_like=True, frozen=True):
    certificate: CertificatePair
    expected: Device32
    signature: Signature64


class _Frame4(msgspec.Struct, array_like=True, frozen=True):
    certificate: CertificatePair
    signature: Signature64


_READER1: Reader[_Frame1] = Reader(_Frame1, "bad_frame")
_READER2: Reader[_Frame2] = Reader(_Frame2, "bad_frame")
_READER3: Reader[_Frame3] = Reader(_Frame3, "bad_frame")
_READER4: Reader[_Frame4] = Reader(_Frame4, "bad_frame")


class _At(Enum):
    START = 0
    HELLO = 1
    PROOF = 2
    OVER = 3


def knock(key: bytes, label: str, binding: bytes, *nonces: bytes) -> bytes:
    """32 bytes that only who knows `key` can make, for this TLS certificate and these nonces."""
    return hmac.digest(key, tagged(label, binding, *nonces), "sha256")


class Dialler:
    """The side that opened the connection: `start`, then `receive` twice."""

    def __init__(
        self,
        me: LinkIdentity,
        binding: bytes,
        *,
        key: bytes | None,
        expected: DeviceId | None,
        strangers: bool,
        nonce: bytes,
        random_knock: bytes,
    ) -> None:
        """`binding`: SHA-256 of the TLS certificate seen. `key`: a secret thought to be shared.

        `expected`: the only device wanted, if one is. `strangers`: go on without a shared key.
        `nonce`, `random_knock`: 32 fresh random bytes each.
        """
        self._me, self._binding, self._key = me, binding, key
        self._expected, self._strangers = expected, strangers
        self._nonce, self._random_knock = nonce, random_knock
        self._own_device = _own_device(me)
        self._at = _At.START
        self._frame1 = self._frame3 = self._hellos = b""
        self._matched = False

    @property
    def matched(self) -> bool:
        """Whether the listener has shown that it knows the key."""
        return self._matched

    def start(self) -> bytes:
        """The first frame."""
        if self._at is not _At.START:
            raise PeerError("out_of_order", "the handshake was started twice")
        first = self._random_knock
        if self._key is not None:
            first = knock(self._key, LABEL_KNOCK_DIAL, self._binding, self._nonce)
        self._frame1 = pack(_Frame1((LINK_VERSION,), self._nonce, first))
        self._at = _At.HELLO
        return self._frame1

    def receive(self, frame: bytes) -> Step:
        """Take the listener's next frame.

        Raises `PeerError` ``bad_version``, ``unknown_listener`` (it does not know the key),
        ``own_device``, ``wrong_device``, ``bad_signature``, ``out_of_order``, or what the frame's
        bytes and certificate raise.
        """
        at, self._at = self._at, _At.OVER
        if at is _At.HELLO:
            step = self._take_hello(frame)
            self._at = _At.PROOF
            return step
        if at is _At.PROOF:
            return self._take_proof(frame)
        raise PeerError("out_of_order", "no frame of the handshake is expected")

    def _take_hello(self, frame: bytes) -> Step:
        hello = _READER2.read(frame, MAX_HANDSHAKE_FRAME_BYTES)
        if hello.version != LINK_VERSION:
            raise PeerError("bad_version", f"the listener chose version {hello.version}")
        if self._key is not None:
            good = knock(self._key, LABEL_KNOCK_LISTEN, self._binding, self._nonce, hello.nonce)
            self._matched = hmac.compare_digest(good, hello.knock)
        if not self._matched and not self._strangers:
            raise PeerError("unknown_listener", "the listener does not know the shared key")
        self._hellos = _hellos(self._binding, self._frame1, frame)
        expected = self._expected or DeviceId(ZERO)
        signed = _dial_proof(self._hellos, self._me.certificate, expected)
        signature = self._me.signer.sign(LABEL_LINK_DIAL, signed)
        self._frame3 = pack(_Frame3(_pair(self._me.certificate), expected, signature))
        return Step(reply=self._frame3)

    def _take_proof(self, frame: bytes) -> Step:
        proof = _READER4.read(frame, MAX_HANDSHAKE_FRAME_BYTES)
        signed = SignedCertificate(*proof.certificate)
        peer = read_certificate(signed)
        if peer.device == self._own_device:
            raise PeerError("own_device", "the listener is this computer itself")
        if self._expected and peer.device != self._expected:
            raise PeerError("wrong_device", "another device answers at this address")
        what = _listen_proof(self._hellos, self._frame3, signed)
        if not verify(peer.device, LABEL_LINK_LISTEN, what, proof.signature):
            raise PeerError("bad_signature", "the listener's proof is not of this link")
        link = _link(self._hellos, self._frame3, frame)
        matched = 0 if self._matched else None
        return Step(proved=Proved(peer, signed, matched, link, LINK_VERSION))


class Listener:
    """The side that was connected to: `receive` twice."""

    def __init__(
        self,
        me: LinkIdentity,
        binding: bytes,
        *,
        keys: Sequence[bytes],
        strangers: bool,
        nonce: bytes,
        random_knock: bytes,
    ) -> None:
        """`binding`: SHA-256 of the own TLS certificate. `keys`: at most 256 are tried, in order.

        `strangers`: answer those who know no key. `nonce`, `random_knock`: 32 fresh random bytes.
        """
        self._me, self._binding, self._keys = me, binding, tuple(keys[:MAX_KEYS])
        self._strangers = strangers
        self._nonce, self._random_knock = nonce, random_knock
        self._own_device = _own_device(me)
        self._at = _At.HELLO
        self._hellos = b""
        self._matched: int | None = None

    def receive(self, frame: bytes) -> Step:
        """Take the dialler's next frame.

        Raises `PeerError` ``bad_version``, ``stranger`` (no key matches and strangers are not
        taken: close without an answer), ``own_device``, ``wrong_device``, ``bad_signature``,
        ``out_of_order``, or what the frame's bytes and certificate raise.
        """
        at, self._at = self._at, _At.OVER
        if at is _At.HELLO:
            step = self._take_hello(frame)
            self._at = _At.PROOF
            return step
        if at is _At.PROOF:
            return self._take_proof(frame)
        raise PeerError("out_of_order", "no frame of the handshake is expected")

    def _take_hello(self, frame: bytes) -> Step:
        hello = _READER1.read(frame, MAX_HANDSHAKE_FRAME_BYTES)
        if LINK_VERSION not in hello.versions:
            raise PeerError("bad_version", "the dialler speaks no version of ours")
        for number, key in enumerate(self._keys):
            good = knock(key, LABEL_KNOCK_DIAL, self._binding, hello.nonce)
            if hmac.compare_digest(good, hello.knock) and self._matched is None:
                self._matched = number
        answer = self._random_knock
        if self._matched is not None:
            key = self._keys[self._matched]
            answer = knock(key, LABEL_KNOCK_LISTEN, self._binding, hello.nonce, self._nonce)
        elif not self._strangers:
            raise PeerError("stranger", "the dialler knows no key of ours")
        reply = pack(_Frame2(LINK_VERSION, self._nonce, answer))
        self._hellos = _hellos(self._binding, frame, reply)
        return Step(reply=reply)

    def _take_proof(self, frame: bytes) -> Step:
        proof = _READER3.read(frame, MAX_HANDSHAKE_FRAME_BYTES)
        signed = SignedCertificate(*proof.certificate)
        peer = read_certificate(signed)
        if peer.device == self._own_device:
            raise PeerError("own_device", "the dialler is this computer itself")
        if proof.expected not in (ZERO, self._own_device):
            raise PeerError("wrong_device", "the dialler wants another device")
        what = _dial_proof(self._hellos, signed, proof.expected)
        if not verify(peer.device, LABEL_LINK_DIAL, what, proof.signature):
            raise PeerError("bad_signature", "the dialler's proof is not of this link")
        own = self._me.certificate
        signature = self._me.signer.sign(LABEL_LINK_LISTEN, _listen_proof(self._hellos, frame, own))
        reply = pack(_Frame4(_pair(own), signature))
        link = _link(self._hellos, frame, reply)
        return Step(reply, Proved(peer, signed, self._matched, link, LINK_VERSION))


def _own_device(me: LinkIdentity) -> DeviceId:
    return DeviceId(me.signer.public)


def _pair(signed: SignedCertificate) -> tuple[bytes, bytes]:
    return signed.data, signed.signature


def _hellos(binding: bytes, frame1: bytes, frame2: bytes) -> bytes:
    """h: the hash over the TLS certificate and the first two frames."""
    return tagged_hash(LABEL_HELLOS, binding, _hash(frame1), _hash(frame2))


def _dial_proof(hellos: bytes, certificate: SignedCertificate, expected: DeviceId) -> bytes:
    return hellos + _hash(certificate.data) + expected


def _listen_proof(hellos: bytes, frame3: bytes, certificate: SignedCertificate) -> bytes:
    return hellos + _hash(frame3) + _hash(certificate.data)


def _link(hellos: bytes, frame3: bytes, frame4: bytes) -> bytes:
    """H: the hash over the whole handshake."""
    return tagged_hash(LABEL_LINK, hellos, _hash(frame3), _hash(frame4))


def _hash(data: bytes) -> bytes:
    return sha256(data).digest()
