"""Bounds what one connection may bring in: packets, bytes, sources, kinds of payload.

Pure: time is given. The bounds are generous, several times what a call needs. Refuses by
`PeerError` ``flood``, after which nothing of that connection is looked at.
"""

from __future__ import annotations

from folkmoot.domain.errors import PeerError

MAX_SOURCES = 16
MAX_PAYLOAD_TYPES = 16
MAX_PACKETS_S = 8_000
MAX_BYTES_S = 8_000_000
BURST_S = 2.0
"""How many seconds' worth may come at once."""
MAX_RETRANSMITS_S = 400
_HEADER_BYTES = 12


class Allowance:
    """A bucket that refills with `rate` a second and holds `burst`."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at: float | None = None

    def take(self, amount: float, now: float) -> bool:
        """Whether `amount` may pass at `now` seconds."""
        if self._at is not None:
            self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < amount:
            return False
        self._left -= amount
        return True


class RtpGate:
    """Counts what one connection brings in."""

    def __init__(self) -> None:
        self._packets = Allowance(MAX_PACKETS_S, MAX_PACKETS_S * BURST_S)
        self._bytes = Allowance(MAX_BYTES_S, MAX_BYTES_S * BURST_S)
        self._sources: set[bytes] = set()
        self._payload_types: set[int] = set()

    def check_datagram(self, size: int, now: float) -> None:
        """Count a datagram of any kind; raises `PeerError` ``flood``."""
        if not (self._packets.take(1, now) and self._bytes.take(size, now)):
            raise PeerError("flood", "More packets come than a call can need.")

    def check_rtp(self, data: bytes) -> bool:
        """Whether a packet is long enough to be looked at; raises `PeerError` ``flood``."""
        if len(data) < _HEADER_BYTES:
            return False
        self._payload_types.add(data[1] & 0x7F)
        self._sources.add(data[8:12])
        if len(self._sources) > MAX_SOURCES or len(self._payload_types) > MAX_PAYLOAD_TYPES:
            raise PeerError("flood", "Packets come from more sources than a call can have.")
        return True
