"""How often pictures are handed out, by what moves. Pure: the time comes in.

Owns the three rates: of what hardly moves, of text that scrolls, of what goes on moving. Refuses to
be slower than `QUIET_FPS`: somebody may be typing.
"""

from __future__ import annotations

QUIET_FPS, TEXT_FPS, FAST_FPS = 10.0, 15.0, 30.0
SMALL = 1 / 200
"""Of the picture. What changes less is a caret, a clock, a letter."""
LARGE = 1 / 5
SUSTAINED_S = 1.0
"""What moves for so long without a rest is a film or an animation."""
_REST_S = 0.2


class Pace:
    """Decides when the next picture may go out. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._beat = float("-inf")
        self._large_since: float | None = None
        self._large_at = float("-inf")

    def due(self, moved: float, limit_fps: float, now: float) -> float:
        """When a picture in which `moved` (a fraction of it) changed may go out."""
        return self._beat + self._period(moved, limit_fps, now)

    def took(self, moved: float, limit_fps: float, now: float) -> None:
        """A picture went out now. One that was a little late makes the next one no later."""
        period = self._period(moved, limit_fps, now)
        beat = self._beat + period
        self._beat = beat if 0 <= now - beat < period / 2 else now
        if moved >= LARGE:
            if now - self._large_at > _REST_S:
                self._large_since = now
            self._large_at = now

    def _period(self, moved: float, limit_fps: float, now: float) -> float:
        return 1 / min(limit_fps, self._wanted_fps(moved, now))

    def _wanted_fps(self, moved: float, now: float) -> float:
        if moved < SMALL:
            return QUIET_FPS
        since = self._large_since
        goes_on = since is not None and now - self._large_at <= _REST_S
        if moved >= LARGE and goes_on and since is not None and now - since >= SUSTAINED_S:
            return FAST_FPS
        return TEXT_FPS
