"""Bounds of a link before and after the proofs, in one place.

Refuses to decide anything: `admission` counts, `stream` obeys. Tests pass smaller numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """Bounds of streams; sizes in bytes, times in seconds, rates per second."""

    handshake_s: float = 5.0
    """From the accepted connection to `open_up`, TLS included."""
    handshake_bytes: int = 64 * KIB
    """What may come in before TLS is established (a hello with certificates is 2 KiB)."""
    unproved_frame_bytes: int = 4 * KIB
    frame_bytes: int = MIB
    unproved_per_address: int = 8
    unproved_in_all: int = 64
    inbox_bytes: int = 256 * KIB
    """Decrypted bytes held for a reader before reading from the socket pauses."""
    outgoing_bytes: int = 8 * MIB
    """Bytes waiting to be sent at which the other side counts as stuck."""
    drained_bytes: int = 256 * KIB
    """`drain` waits for fewer bytes than this."""
    close_s: float = 1.0
    """How long a closing stream may go on sending what was queued."""
    handshakes_per_s: float = 50.0
    handshakes_burst: int = 64
    handshakes_per_address_per_s: float = 10.0
    handshakes_per_address_burst: int = 16
    accepts_per_s: float = 1000.0
    """Connections taken from the operating system, refused ones included."""
    accepts_burst: int = 100
