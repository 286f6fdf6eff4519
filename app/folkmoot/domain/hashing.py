"""Hashes with a label, so that bytes made for one purpose mean nothing for another (`WIRE.md`)."""

from __future__ import annotations

from hashlib import sha256


def tagged(label: str, *parts: bytes) -> bytes:
    """The bytes of `label`, a zero byte, then the parts: what is hashed, keyed or signed.

    Every part but the last must have a length that the label fixes, or two lists of parts could
    give the same bytes.
    """
    return b"".join((label.encode("ascii"), b"\0", *parts))


def tagged_hash(label: str, *parts: bytes) -> bytes:
    """SHA-256 of `tagged(label, *parts)`: 32 bytes."""
    return sha256(tagged(label, *parts)).digest()
