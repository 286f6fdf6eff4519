"""Sound that crosses from one clock to another: a little waits, and as little as holds.

Owns how much waits: a sample more or fewer in 10 ms is taken where the two clocks differ, which
nobody hears. Refuses to wait or to grow: where nothing is there it gives nothing, and begins again
when enough has come; what is far too much is left out.
"""

from __future__ import annotations

import numpy as np

from folkmoot.media.devices.ring import RATE, STEP, SampleRing, Samples

_CAPACITY = RATE // 4
_FIRST_WAIT, _MOST_WAIT = 3 * STEP, 12 * STEP
"""So much waits before the first is given: more where it comes in larger pieces."""
_LOW, _CALM = STEP, 4
"""So much is left at the worst moment; more where it ran dry, and with each look a bit less."""
_LOOK_STEPS = 50
_SLACK = STEP // 2
"""So far it may be off before anything is done; then all of it is mended."""
_MOST_STRETCH = 2
_SHORTEST = STEP * 3 // 4
"""A piece that comes late by a moment: what is there is drawn out, which is better than a gap."""
_FAR = 6 * STEP
"""This much too much is left out at once instead of bit by bit."""
_SHORT_STEPS = 30
"""A sound that comes again so soon did not end; it was late."""
_RAMP = np.linspace(0.0, 1.0, 120, dtype=np.float32)


class ElasticBuffer:
    """`push` from one thread, `pull` from another."""

    def __init__(self) -> None:
        self._ring = SampleRing(_CAPACITY)
        self._wait, self._low = _FIRST_WAIT, _LOW
        self._runs = False
        self._missed = _SHORT_STEPS
        self._stretch = 0
        self._least = _CAPACITY
        self._looked = 0
        self._at = np.arange(STEP)

    @property
    def depth(self) -> int:
        """Samples that wait."""
        return self._ring.depth

    def push(self, samples: Samples) -> None:
        """These came."""
        self._ring.push(samples)

    def pull(self) -> Samples | None:
        """The next 480 samples, None while there is nothing."""
        begins = not self._runs
        if begins and not self._begin():
            return None
        count = STEP + self._stretch
        if _SHORTEST <= self._ring.depth < count:
            count = self._ring.depth
        taken = self._ring.pull(count)
        if taken is None:
            return self._stop()
        if count != STEP:
            taken = np.rint(np.interp(self._at * (count / STEP), np.arange(count), taken)).astype(
                np.int16
            )
        if begins:
            taken[: len(_RAMP)] = taken[: len(_RAMP)] * _RAMP
        self._regulate()
        return taken

    def _begin(self) -> bool:
        self._missed = min(self._missed + 1, _SHORT_STEPS)
        if self._ring.depth < self._wait:
            return False
        if self._missed < _SHORT_STEPS:
            self._wait = min(self._wait + STEP, _MOST_WAIT)
            self._low = min(self._low + STEP, _MOST_WAIT - STEP)
        self._runs = True
        self._look_anew()
        self._stretch = 0
        return True

    def _stop(self) -> Samples | None:
        """It ran dry: what is left fades out."""
        self._runs, self._missed = False, 0
        rest = self._ring.pull(self._ring.depth)
        if rest is None or len(rest) == 0:
            return None
        fade = min(len(rest), len(_RAMP))
        out = np.zeros(STEP, np.int16)
        out[: len(rest)] = rest[:STEP]
        end = min(len(rest), STEP)
        out[end - fade : end] = out[end - fade : end] * _RAMP[:fade][::-1]
        return out

    def _regulate(self) -> None:
        self._least = min(self._least, self._ring.depth)
        self._looked += 1
        if self._looked < _LOOK_STEPS:
            return
        self._low = max(_LOW, self._low - _CALM)
        over = self._least - self._low
        if over > _FAR:
            self._ring.pull(over)
            over = 0
        way = (over > 0) - (over < 0)
        if abs(over) > _SLACK or way * self._stretch > 0:
            self._stretch = way * min(-(-abs(over) // _SLACK), _MOST_STRETCH)
        else:
            self._stretch = 0
        self._look_anew()

    def _look_anew(self) -> None:
        self._least, self._looked = _CAPACITY, 0
