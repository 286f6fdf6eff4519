"""Ed25519 and X25519 keys. Everything is signed under a label, so no signature serves twice."""

from __future__ import annotations

from nacl.bindings import crypto_scalarmult_base
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from folkmoot.domain.hashing import tagged

SEED_BYTES = 32
SIGNATURE_BYTES = 64

LABEL_DEVICE = "folkmoot/device/1"
LABEL_ENTRY = "folkmoot/entry/1"
LABEL_JOIN = "folkmoot/join/1"
LABEL_FEED = "folkmoot/feed/1"
LABEL_LINK_DIAL = "folkmoot/link/dial/1"
LABEL_LINK_LISTEN = "folkmoot/link/listen/1"


class Signer:
    """A private Ed25519 key. Refuses to show its seed."""

    def __init__(self, seed: bytes) -> None:
        """`seed`: 32 secret random bytes, from which the key is always the same."""
        self._key = SigningKey(seed)
        self.public: bytes = bytes(self._key.verify_key)

    def sign(self, label: str, data: bytes) -> bytes:
        """64 bytes: the signature over label, zero byte, data."""
        return bytes(self._key.sign(tagged(label, data)).signature)


def verify(public: bytes, label: str, data: bytes, signature: bytes) -> bool:
    """Whether `signature` over label, zero byte, data is of the key `public` (32 bytes)."""
    try:
        VerifyKey(public).verify(tagged(label, data), signature)
    except (CryptoError, ValueError):
        return False
    return True


def seal_public(seed: bytes) -> bytes:
    """The X25519 public key of a 32-byte seed, for sealed mail."""
    return bytes(crypto_scalarmult_base(seed))
