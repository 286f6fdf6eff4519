"""A source that shows something of this desktop: it ends when the screen is locked.

Owns the watch. Refuses to show anything after that, also when it is unlocked at once.
"""

from __future__ import annotations

import threading

import av

from folkmoot.media.capture.boxes import Box
from folkmoot.media.capture.lock import LockWatch
from folkmoot.media.capture.lock_state import LockPoll, question
from folkmoot.media.capture.picture import Limits
from folkmoot.media.capture.source import ShareEnded, Source


class Guarded:
    """`source`, until the lock. See `Source`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._locked = threading.Event()
        ask = question()
        self._watch: LockWatch | LockPoll = (
            LockWatch(self._locked.set) if ask is None else LockPoll(self._locked.set, ask)
        )

    @property
    def place(self) -> Box:
        """See `Source`."""
        return self._source.place

    @property
    def is_ready(self) -> bool:
        """See `Source`."""
        return self._source.is_ready

    def attend(self, now: float) -> None:
        """See `Source`."""
        self._check()
        self._source.attend(now)

    def moved(self, now: float) -> float:
        """See `Source`."""
        return self._source.moved(now)

    def take(self, limits: Limits, *, whole: bool) -> av.VideoFrame | None:
        """See `Source`. A picture that was taken while the lock came is not given."""
        frame = self._source.take(limits, whole=whole)
        self._check()
        return frame

    def close(self) -> None:
        """See `Source`."""
        self._watch.close()
        self._source.close()

    def _check(self) -> None:
        if self._locked.is_set():
            raise ShareEnded("locked", "The screen was locked.")
