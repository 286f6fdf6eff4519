"""The clock of one recording: nanoseconds from its beginning, which stand still in a pause.

Pure: the monotonic time is an argument. Refuses (`None`) what happened in a pause or before.
"""

from __future__ import annotations

SECOND = 1_000_000_000


class RecordingClock:
    """From the monotonic clock to that of the recording, both in nanoseconds."""

    def __init__(self, now_ns: int) -> None:
        self._since_ns = now_ns
        self._before = 0
        self._paused_ns: int | None = None

    @property
    def is_paused(self) -> bool:
        """Whether it stands still."""
        return self._paused_ns is not None

    def now(self, now_ns: int) -> int:
        """How long has been recorded."""
        until = now_ns if self._paused_ns is None else self._paused_ns
        return self._before + max(0, until - self._since_ns)

    def at(self, at_ns: int) -> int | None:
        """When that was; None: not while it was recording."""
        if self._paused_ns is not None or at_ns < self._since_ns:
            return None
        return self._before + at_ns - self._since_ns

    def pause(self, now_ns: int) -> None:
        """Stand still from now on."""
        if self._paused_ns is None:
            self._paused_ns = now_ns

    def resume(self, now_ns: int) -> None:
        """Go on."""
        if self._paused_ns is not None:
            self._before = self.now(now_ns)
            self._since_ns = max(now_ns, self._since_ns)
            self._paused_ns = None
