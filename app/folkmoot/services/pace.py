"""Bounded rates: a bucket that fills with time and is emptied by use. Pure: time is an argument."""

from __future__ import annotations

from collections import OrderedDict

MAX_REMEMBERED = 1024


class Bucket:
    """Up to `burst` at once, then `rate` per second."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def _fill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now

    def take(self, now: float, count: float = 1.0) -> bool:
        """Take `count` if they are there."""
        self._fill(now)
        if self._tokens < count:
            return False
        self._tokens -= count
        return True

    def wait(self, now: float) -> float:
        """Seconds until there is one to take; 0 if there is."""
        self._fill(now)
        return max(0.0, (1 - self._tokens) / self._rate)

    def owe(self, now: float, count: float) -> float:
        """Take `count` in any case; the seconds to wait until the bucket is not below zero."""
        self._fill(now)
        self._tokens -= count
        return max(0.0, -self._tokens / self._rate)


class Buckets:
    """A bucket for each key; the key not seen for longest is forgotten first."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, key: str, now: float) -> bool:
        """Take one for `key` if it is there."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._rate, self._burst, now)
            if len(self._buckets) > MAX_REMEMBERED:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        return bucket.take(now)
