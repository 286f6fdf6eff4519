"""Sealing envelopes for one device: HPKE (RFC 9180) by the library `cryptography`.

Base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, one message for each
encapsulated key: 32 bytes of it, then the ciphertext with its tag. The library is imported at the
first use. Refuses keys of another size; who sealed something is not known from the seal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from folkmoot.domain.errors import PeerError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hpke import Suite

KEY_BYTES = 32
OVERHEAD_BYTES = 48


class HpkeSealer:
    """`services.signaling_port.Sealer`."""

    def __init__(self) -> None:
        self._suite: Suite | None = None

    def seal(self, seal_key: bytes, info: bytes, text: bytes) -> bytes:
        """As `Sealer.seal`. Raises `PeerError` ``bad_key`` for one to which nobody can seal."""
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

        try:
            key = X25519PublicKey.from_public_bytes(seal_key)
            return self._hpke().encrypt(text, key, info)
        except ValueError as error:
            raise PeerError("bad_key", "nothing can be sealed to this key") from error

    def open(self, seal_seed: bytes, info: bytes, sealed: bytes) -> bytes:
        """As `Sealer.open`."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        key = X25519PrivateKey.from_private_bytes(seal_seed)
        try:
            return self._hpke().decrypt(sealed, key, info)
        except (InvalidTag, ValueError) as error:
            raise PeerError("bad_seal", "the envelope is not sealed to us, or damaged") from error

    def _hpke(self) -> Suite:
        if self._suite is None:
            from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

            self._suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
        return self._suite
