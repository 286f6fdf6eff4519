"""How loud somebody is, and whether it is speech: ten times a second at most.

A cough, a click or a keyboard must not light a name: speech is what stays for a quarter of a second
above the noise of its room. Refuses to guess from one step.
"""

from __future__ import annotations

import math

import numpy as np

from folkmoot.media.devices.ring import Samples

_QUIET_DB = -70.0
_LEAST_DB = -50.0
"""Never speech below this."""
_ABOVE_DB = 9.0
"""Speech is this far above the noise of the room."""
_FLOOR_UP_DB = 0.03
"""Per step; the floor falls at once, but for a part, and rises 3 dB a second."""
_ON, _OFF, _MOST = 25.0, 0.0, 55.0
_FALL = 0.6
_RANGE_DB = (-55.0, -9.0)
_SHOW = 0.02


class Level:
    """The level of one voice; takes every step of 480 samples."""

    def __init__(self) -> None:
        self.loudness = 0.0
        """0 to 1, quick up and slow down."""
        self.speaks = False
        self.db = _QUIET_DB
        """Of the last step."""
        self._score = 0.0
        self._floor = -55.0

    @property
    def is_heard(self) -> bool:
        """Whether there is anything to show."""
        return self.speaks or self.loudness > _SHOW

    def take(self, samples: Samples | None, said_db: float | None = None) -> None:
        """Look at the next 10 ms; None is silence. `said_db`: how loud the voice in them is, where
        that is known and something else is in them."""
        db = _QUIET_DB
        if samples is not None:
            db = _loudness_db(samples) if said_db is None else max(_QUIET_DB, said_db)
        self.db = db
        active = db > max(_LEAST_DB, self._floor + _ABOVE_DB)
        if db < self._floor:
            self._floor += (db - self._floor) * 0.1
        elif samples is not None:
            self._floor = min(self._floor + _FLOOR_UP_DB, db)
        self._floor = min(max(self._floor, _QUIET_DB), -25.0)
        self._score = min(max(self._score + (1.0 if active else -_FALL), 0.0), _MOST)
        if self._score >= _ON:
            self.speaks = True
        elif self._score <= _OFF:
            self.speaks = False
        low, high = _RANGE_DB
        now = min(max((db - low) / (high - low), 0.0), 1.0)
        self.loudness += (now - self.loudness) * (0.5 if now > self.loudness else 0.08)
        if self.loudness < 0.005:
            self.loudness = 0.0

    def reset(self) -> None:
        """Nothing is heard any more."""
        self.loudness, self.speaks, self._score = 0.0, False, 0.0


def _loudness_db(samples: Samples) -> float:
    """RMS in dB of full scale."""
    floats = samples.astype(np.float32)
    power = float(np.dot(floats, floats)) / len(samples) / 32768.0**2
    return max(_QUIET_DB, 10 * math.log10(power + 1e-9))
