"""The computer's date and its source of chance, behind the ports of the services."""

from __future__ import annotations

import random
import secrets
import time


class SystemClock:
    """The wall clock of this computer."""

    def wall_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        return time.time_ns() // 1_000_000


class SystemRandomness:
    """Chance from the operating system, fit for keys."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def bytes(self, count: int) -> bytes:
        """`count` bytes fit for keys."""
        return secrets.token_bytes(count)

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high], for jitter."""
        return self._random.uniform(low, high)
