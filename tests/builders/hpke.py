"""HPKE of RFC 9180 written out by the letter, for tests: mode base, X25519, ChaCha20-Poly1305.

The ephemeral key is an argument, so that the same bytes come out each time. `test_sealing` holds it
against the vectors of the RFC.
"""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from nacl.bindings import crypto_scalarmult, crypto_scalarmult_base

_KEM_SUITE = b"KEM" + (0x0020).to_bytes(2, "big")
_SUITE = b"HPKE" + b"".join(n.to_bytes(2, "big") for n in (0x0020, 0x0001, 0x0003))


def seal(ephemeral: bytes, public: bytes, info: bytes, text: bytes, aad: bytes = b"") -> bytes:
    """Section 6.1, `SealBase`: the encapsulated key and the ciphertext behind one another."""
    enc = crypto_scalarmult_base(ephemeral)
    dh = crypto_scalarmult(ephemeral, public)
    prk = _extract(_KEM_SUITE, b"", b"eae_prk", dh)
    shared = _expand(_KEM_SUITE, prk, b"shared_secret", enc + public, 32)
    context = b"\x00" + _extract(_SUITE, b"", b"psk_id_hash", b"")
    context += _extract(_SUITE, b"", b"info_hash", info)
    secret = _extract(_SUITE, shared, b"secret", b"")
    key = _expand(_SUITE, secret, b"key", context, 32)
    nonce = _expand(_SUITE, secret, b"base_nonce", context, 12)
    return enc + ChaCha20Poly1305(key).encrypt(nonce, text, aad)


def _extract(suite: bytes, salt: bytes, label: bytes, secret: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + secret, "sha256")


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    data = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, data + b"\x01", "sha256")[:length]
