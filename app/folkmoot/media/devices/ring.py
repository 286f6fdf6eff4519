"""Samples on their way between the sound device and the engine: bounded, oldest dropped.

The lock is held for the copy of a few hundred samples only. Refuses to wait or to grow.
"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
STEP = 480
"""Samples of 10 ms at 48 kHz."""
RATE = 48_000


class SampleRing:
    """At most `capacity` int16 samples."""

    def __init__(self, capacity: int) -> None:
        self._data = np.zeros(capacity, np.int16)
        self._start = 0
        self._count = 0
        self._lock = threading.Lock()
        self.dropped = 0
        """Samples that were pushed out unread."""

    @property
    def depth(self) -> int:
        """Samples that wait."""
        return self._count

    def push(self, samples: Samples) -> None:
        """Add `samples`; the oldest give way."""
        capacity = len(self._data)
        with self._lock:
            if len(samples) > capacity:
                self.dropped += len(samples) - capacity
                samples = samples[-capacity:]
            over = self._count + len(samples) - capacity
            if over > 0:
                self._skip(over)
                self.dropped += over
            end = (self._start + self._count) % capacity
            first = min(len(samples), capacity - end)
            self._data[end : end + first] = samples[:first]
            self._data[: len(samples) - first] = samples[first:]
            self._count += len(samples)

    def pull(self, count: int) -> Samples | None:
        """Take exactly `count` samples, None while there are fewer."""
        with self._lock:
            if self._count < count:
                return None
            taken = self._data[self._start : self._start + count]
            left = count - len(taken)
            # A copy in either case: what lies here is overwritten.
            taken = np.concatenate([taken, self._data[:left]]) if left else taken.copy()
            self._skip(count)
            return taken

    def clear(self) -> None:
        """Forget everything; the samples are overwritten too."""
        with self._lock:
            self._data[:] = 0
            self._skip(self._count)

    def _skip(self, count: int) -> None:
        self._start = (self._start + count) % len(self._data)
        self._count -= count
