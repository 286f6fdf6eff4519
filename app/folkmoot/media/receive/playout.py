"""When each picture is shown: at once on a good way, evenly late on one that loses packets.

Owns the delay that hides the repair of lost packets: as long as a repair takes, and only while
there is something to repair; it goes back to none within ten seconds. Between two pictures passes
what the sender's clock says, so that a repaired hole is neither a stop nor a burst. Pure: the time
is an argument. Refuses to hold a picture longer than `MOST_HOLD_S`.
"""

from __future__ import annotations

import collections
import math

MOST_HOLD_S = 0.200
_RATE = 90_000
_WINDOW_S = 5.0
_MEMORY_S = 3.0
_ENOUGH = 2
"""A single repair in `_MEMORY_S` is no reason to be late from then on."""
_QUANTILE = 0.9
_SPARE_S = 0.005
_SHRINK_PER_S = 0.05
_MOST_MENDS = 64
_MOST_APART_S = 2.0


class Playout:
    """For one source. Times are seconds of one monotonic clock, timestamps 1/90,000 s.

    `lip_s` is what `sync.LipSync` wants to hold; the longer of the two delays counts.
    """

    def __init__(self) -> None:
        self.lip_s = 0.0
        self.reset()

    def reset(self) -> None:
        """Forget the stream (another source, or another clock)."""
        self._fast = self._older = math.inf
        self._since = -math.inf
        self._mends: collections.deque[tuple[float, float]] = collections.deque(maxlen=_MOST_MENDS)
        self._hold = 0.0
        self._last: tuple[int, float] | None = None  # timestamp, when it is due
        self._at: float | None = None

    @property
    def hold_s(self) -> float:
        """How much later than the fastest way allows pictures are shown."""
        return max(self._hold, min(MOST_HOLD_S, self.lip_s))

    @property
    def latest(self) -> tuple[int, float] | None:
        """The last timestamp, and when that picture could be shown without any delay."""
        if self._last is None:
            return None
        stamp = self._last[0]
        return stamp, stamp / _RATE + min(self._fast, self._older)

    def place(self, timestamp: int, now_s: float, mended: bool) -> float:
        """When to show a picture that is whole now; `mended`: a part of it was sent again."""
        transit = now_s - timestamp / _RATE
        if abs(transit - min(self._fast, self._older)) > _MOST_APART_S:
            self.reset()
        self._observe(transit, now_s)
        late = transit - min(self._fast, self._older)
        if mended:
            self._mends.append((now_s, late))
        self._steer(now_s)
        hold = self.hold_s
        due = now_s
        if hold > 0:
            due = max(now_s, now_s - late + hold)
            if self._last is not None:
                # What waited for a repair catches up at twice the speed, not all at once.
                step = (timestamp - self._last[0]) / _RATE
                due = max(due, self._last[1] + 0.5 * min(0.1, max(0.0, step)))
            due = min(due, now_s + MOST_HOLD_S)
        self._last = timestamp, due
        return due

    def _observe(self, transit: float, now: float) -> None:
        """Keep the fastest of the last 5 to 10 seconds."""
        if now - self._since >= _WINDOW_S:
            self._older = self._fast if now - self._since < 2 * _WINDOW_S else math.inf
            self._fast, self._since = transit, now
        self._fast = min(self._fast, transit)

    def _steer(self, now: float) -> None:
        passed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now
        while self._mends and now - self._mends[0][0] > _MEMORY_S:
            self._mends.popleft()
        wanted = 0.0
        if len(self._mends) >= _ENOUGH:
            needed = sorted(late for _, late in self._mends)
            wanted = needed[int(_QUANTILE * (len(needed) - 1) + 0.5)] + _SPARE_S
        self._hold = min(MOST_HOLD_S, max(wanted, self._hold - _SHRINK_PER_S * passed))
