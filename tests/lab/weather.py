"""What one direction of a cable does to packets, and which fate each packet gets. No clock, no I/O.

The chances of a direction come from its own seeded source: the fate of its n-th packet depends on
nothing else. ARP, neighbour discovery and reports of multicast groups are neither lost nor doubled,
only delayed and cut: else the kernel's retries decided when a test begins.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

_IPV4, _ARP, _IPV6 = b"\x08\x00", b"\x08\x06", b"\x86\xdd"
_IGMP, _TCP = 2, 6
_NEIGHBOURS = (0, 58)  # the first is the header before a report of multicast listeners


@dataclass(frozen=True)
class Weather:
    """One direction of a cable. Shares are 0 to 1, times milliseconds.

    `loss` is the share lost; they go `burst` at a time. Jitter is added to the delay, spread as
    half a bell, and keeps the order; only the share `reorder` is overtaken, by `reorder_ms`.
    `rate_bps` 0 means no limit; what would wait longer than `queue_ms` for it is dropped.
    """

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    burst: int = 1
    duplicate: float = 0.0
    reorder: float = 0.0
    reorder_ms: float = 20.0
    rate_bps: float = 0.0
    queue_ms: float = 200.0
    cut: bool = False
    cut_tcp: bool = False
    """Only TCP is cut: links, not the media of calls."""


FINE = Weather()


@dataclass
class Counts:
    """What became of the packets of one direction."""

    carried: int = 0
    lost: int = 0
    doubled: int = 0
    overtaken: int = 0
    dropped: int = 0
    """The queue before the rate was full."""
    cut: int = 0


class Direction:
    """One direction of a cable: tells for each packet when it arrives, once, twice or never."""

    def __init__(self, seed: str) -> None:
        self.weather = FINE
        self.counts = Counts()
        self._chance = random.Random(seed)
        self._burst_left = 0
        self._free_at = 0.0
        self._last_due = 0.0

    def change(self, weather: Weather) -> None:
        """From now on it is so; a burst under way ends."""
        self.weather = weather
        self._burst_left = 0

    def fate(self, frame: bytes, now: float) -> list[float]:
        """The times (seconds, of the clock of `now`) at which an Ethernet frame comes out."""
        weather, counts = self.weather, self.counts
        if weather.cut or (weather.cut_tcp and _is_tcp(frame)):
            counts.cut += 1
            return []
        if _is_housekeeping(frame):
            counts.carried += 1
            return [now + weather.delay_ms / 1000]
        if self._is_lost(weather):
            counts.lost += 1
            return []
        start = now
        if weather.rate_bps:
            start = max(self._free_at, now) + len(frame) * 8 / weather.rate_bps
            if start - now > weather.queue_ms / 1000:
                counts.dropped += 1
                return []
            self._free_at = start
        due = start + weather.delay_ms / 1000
        if weather.jitter_ms:
            due += abs(self._chance.gauss(0, weather.jitter_ms)) / 1000
        if weather.reorder and self._chance.random() < weather.reorder:
            counts.overtaken += 1
            due += weather.reorder_ms / 1000
        else:
            due = self._last_due = max(due, self._last_due)
        counts.carried += 1
        if weather.duplicate and self._chance.random() < weather.duplicate:
            counts.doubled += 1
            return [due, due]
        return [due]

    def _is_lost(self, weather: Weather) -> bool:
        if self._burst_left:
            self._burst_left -= 1
            return True
        if weather.loss <= 0:
            return False
        # Bursts begin so seldom that the share lost is `loss`.
        begins = 1 / (1 + weather.burst * (1 - weather.loss) / weather.loss)
        if self._chance.random() >= begins:
            return False
        self._burst_left = weather.burst - 1
        return True


def _is_housekeeping(frame: bytes) -> bool:
    kind = frame[12:14]
    if kind == _IPV4:
        return len(frame) > 23 and frame[23] == _IGMP
    return kind == _ARP or (kind == _IPV6 and len(frame) > 20 and frame[20] in _NEIGHBOURS)


def _is_tcp(frame: bytes) -> bool:
    """Without extension headers, as TCP comes."""
    if frame[12:14] == _IPV4:
        return len(frame) > 23 and frame[23] == _TCP
    return frame[12:14] == _IPV6 and len(frame) > 20 and frame[20] == _TCP
