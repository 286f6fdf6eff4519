"""Sounds on the clock of a recording: where each sample belongs, and the sum of all voices.

Each voice has a clock of its own: a sound card's, or that of another computer. Its samples are put
down in a row, and each block says when it was taken: what they are apart is smoothed, and the voice
is stretched or shortened by at most one part in a hundred until they agree, which is not heard. A
hole in time becomes silence. Pure. Refuses what would lie before what has been taken already.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folkmoot.media.devices.ring import RATE, Samples

Sound = NDArray[np.float32]
SPAN = 4 * RATE
"""Samples that a track keeps: what waits to be taken and what may come early."""
_HOLE = RATE // 10
"""A voice that is later than this was silent; one that is earlier is played twice."""
_APART = RATE // 25
_APART_BLOCKS = 6
"""So many blocks in a row that are as far away put the voice where they say."""
_SMOOTH = 0.02
_LITTLE = RATE // 500
_MOST_SHARE = 100
_FADE = 48


class Track:
    """The sum of what was added, taken in a row from sample `begin` on."""

    def __init__(self, begin: int = 0) -> None:
        self.taken = begin
        """The next sample to be taken."""
        self._ring = np.zeros(SPAN, np.float32)

    def add(self, position: int, sound: Sound) -> None:
        """Add `sound` from sample `position` on; what is too early or too late is left out."""
        skip = max(0, self.taken - position)
        room = self.taken + SPAN - (position + skip)
        sound = sound[skip : skip + max(0, room)]
        if not len(sound):
            return
        start = (position + skip) % SPAN
        first = min(len(sound), SPAN - start)
        self._ring[start : start + first] += sound[:first]
        self._ring[: len(sound) - first] += sound[first:]

    def take(self, count: int) -> Sound:
        """The next `count` samples, 1 is full scale; at most `SPAN`."""
        start = self.taken % SPAN
        first = min(count, SPAN - start)
        taken = np.empty(count, np.float32)
        taken[:first] = self._ring[start : start + first]
        taken[first:] = self._ring[: count - first]
        self._ring[start : start + first] = 0.0
        self._ring[: count - first] = 0.0
        self.taken += count
        return taken


class Line:
    """One voice: where its next block goes."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._apart = 0.0
        self._far = 0
        self._cutting = False

    def place(self, samples: Samples, position: int) -> tuple[int, Sound]:
        """Samples that were taken at `position`, and where they are to be put."""
        sound: Sound = samples.astype(np.float32) * np.float32(1 / 32768)
        if self._next is None:
            return self._jump(sound, position)
        apart = position - self._next
        self._far = self._far + 1 if abs(apart) > _APART else 0
        if apart > _HOLE or self._far >= _APART_BLOCKS or self._cutting:
            return self._jump(sound, position)
        self._apart += (apart - self._apart) * _SMOOTH
        count = len(sound)
        most = count // _MOST_SHARE
        if abs(self._apart) > _LITTLE and most:
            change = round(max(-most, min(most, self._apart / _LITTLE / 2)))
            sound = _stretched(sound, count + change)
            self._apart -= change
        at, self._next = self._next, self._next + len(sound)
        return at, sound

    def _jump(self, sound: Sound, position: int) -> tuple[int, Sound]:
        if self._next is not None and position < self._next:  # it was too long: leave that out
            behind = min(self._next - position, len(sound))
            sound = sound[behind:]
            position += behind
            self._cutting = not len(sound)
            if self._cutting:
                return position, sound
        self._cutting = False
        self._next = position + len(sound)
        self._apart, self._far = 0.0, 0
        ramp = min(_FADE, len(sound))
        sound[:ramp] *= np.linspace(0.0, 1.0, ramp, dtype=np.float32)
        return position, sound


def _stretched(sound: Sound, count: int) -> Sound:
    before = np.arange(len(sound), dtype=np.float32)
    # The last sample stays the last one, so that the next block follows without a step.
    wanted = np.linspace(0.0, len(sound) - 1.0, count, dtype=np.float32)
    return np.interp(wanted, before, sound).astype(np.float32)
