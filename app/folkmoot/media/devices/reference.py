"""What was played, for each step of the microphone: the same place of it for the same echo, always.

Speaker and microphone come in bursts of their own; cancelling needs both as two tapes that run
together. Owns how far the tape of the speaker is behind. Refuses to shift it for what is only late:
missing sound is silence, and is left out when it comes.
"""

from __future__ import annotations

import threading

import numpy as np

from folkmoot.media.devices.ring import RATE, STEP, SampleRing, Samples

_BEHIND = 2 * STEP
"""So much waits at the start, for what is played late. An echo needs longer: it lies in the buffers
of the speaker and of the microphone."""
_MOST_OVER = 2 * STEP
"""An echo that comes sooner than its reference cannot be cancelled."""
_MOST_EMPTY = 10
"""Steps without anything in time: the tape is too far back to be of use."""
_LOOK_STEPS = 100


class Reference:
    """`push` from the thread that feeds the speaker, the rest from the one that cleans."""

    def __init__(self) -> None:
        self._ring = SampleRing(RATE)
        self._lock = threading.Lock()
        self._runs = False
        self._missing = self._empty = 0
        self._jumped = False
        self._least = RATE
        self._looked = 0

    @property
    def behind(self) -> int:
        """Samples that wait."""
        return self._ring.depth

    def clear(self) -> None:
        """The microphone begins anew."""
        with self._lock:
            self._ring.clear()
            self._begin()

    def slip(self, samples: int) -> None:
        """The speaker ran dry for about so long."""
        self.push(np.zeros(samples, np.int16))
        self._jumped = True

    def push(self, samples: Samples) -> None:
        """These went to the speaker, or its silence did. What is missed no more is left out."""
        with self._lock:
            late = min(self._missing, len(samples))
            self._missing -= late
            self._ring.push(samples[late:])

    def pull(self) -> Samples:
        """480 samples for the next 480 of the microphone."""
        with self._lock:
            if not self._runs:
                self._runs = self._ring.depth >= _BEHIND + STEP
                if not self._runs:
                    return np.zeros(STEP, np.int16)
            self._trim()
            depth = self._ring.depth
            if depth >= STEP:
                self._empty = 0
                taken = self._ring.pull(STEP)
                assert taken is not None
                return taken
            return self._pull_short(depth)

    def take_jump(self) -> bool:
        """Whether the place may have changed since the last call."""
        jumped, self._jumped = self._jumped, False
        return jumped

    def _pull_short(self, depth: int) -> Samples:
        out = np.zeros(STEP, np.int16)
        if depth and (rest := self._ring.pull(depth)) is not None:
            out[:depth] = rest
        self._missing += STEP - depth
        self._empty += 1
        if self._empty >= _MOST_EMPTY:
            self._begin()
        return out

    def _trim(self) -> None:
        """What waits all the time is too far behind."""
        self._least = min(self._least, self._ring.depth)
        self._looked += 1
        if self._looked < _LOOK_STEPS:
            return
        over = self._least - _BEHIND
        self._least, self._looked = RATE, 0
        if over > _MOST_OVER:
            self._ring.pull(over)
            self._jumped = True

    def _begin(self) -> None:
        self._runs, self._jumped = False, True
        self._missing = self._empty = 0
        self._least, self._looked = RATE, 0
