"""Parts what a receiver can take among the voice, the camera and the shared screen, and spreads
the packets of a large picture over time.

An estimate (REMB) is about the whole way. The voice comes first: its rate is kept free. Of the
rest the screen gets what it asks for, but for a quarter that the camera keeps if it uses it; and
the camera gets what the screen leaves, which is nearly all while the screen is still. Pure.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

VOICE_BPS = 64_000
CAMERA_SHARE = 0.25
WINDOW_S = 2.0
BURST_BYTES, BURST_S = 32_000, 0.1
"""What goes out at once: buffers of sockets hold about a hundred packets, those of a way as much as
it carries in a tenth of a second."""
AHEAD_S, AGAIN_S = 0.002, 0.1


class Split:
    """Of one connection. Times are seconds of one steady clock."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int, int]] = deque()

    def note(self, now: float, camera_bytes: int, screen_bytes: int) -> None:
        """Sums of what was sent since the start; call it a few times a second."""
        self._seen.append((now, camera_bytes, screen_bytes))
        while len(self._seen) > 2 and now - self._seen[1][0] >= WINDOW_S:
            self._seen.popleft()

    def parts(self, total_bps: float) -> tuple[float, float]:
        """What the camera and the screen can have of `total_bps`."""
        rest = max(0.0, total_bps - VOICE_BPS)
        camera, screen = self._rates()
        least = CAMERA_SHARE * rest
        return max(least, rest - screen), rest - min(camera, least)

    def _rates(self) -> tuple[float, float]:
        if len(self._seen) < 2:
            return 0.0, 0.0
        (began, camera, screen), (now, *sums) = self._seen[0], self._seen[-1]
        seconds = max(0.1, now - began)
        return (sums[0] - camera) * 8 / seconds, (sums[1] - screen) * 8 / seconds


class Spread:
    """Lets packets out at `rate_bps()`; a small picture waits for nothing.

    What is sent again comes out of the same rate, or not at all.
    """

    def __init__(
        self,
        sleep: Callable[[float], Awaitable[None]],
        clock: Callable[[], float],
        rate_bps: Callable[[], float],
    ) -> None:
        self._sleep, self._clock, self._rate_bps = sleep, clock, rate_bps
        self._free_s = -1e9

    async def wait(self, size_bytes: int) -> None:
        """Wait until a packet of this size may go out."""
        ahead_s = self._take(size_bytes)
        if ahead_s > AHEAD_S:
            await self._sleep(ahead_s)

    def may_again(self, size_bytes: int = 1_200) -> bool:
        """Whether a packet may be sent again now; who still needs it later asks once more."""
        if self._free_s - self._clock() > AGAIN_S:
            return False
        self._take(size_bytes)
        return True

    def _take(self, size_bytes: int) -> float:
        """How many seconds the packet is ahead of the rate."""
        now, rate = self._clock(), self._rate_bps()
        burst_s = min(BURST_BYTES * 8 / rate, BURST_S)
        self._free_s = max(now - burst_s, self._free_s) + size_bytes * 8 / rate
        return self._free_s - now
