"""Mixing in one place: voices with their volumes into one sound that is never clipped.

Refuses nothing: a voice that has nothing to say gives silence.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from folkmoot.media.devices.ring import STEP, Samples

_CEILING = 0.89
"""Peak that the limiter leaves, of full scale: 1 dB below."""
_RELEASE = 0.015
"""Part of the way back to full volume in 10 ms: half in 0.5 s, too slow to be heard pumping."""
_RAMP = np.linspace(1 / 96, 1.0, 96, dtype=np.float32)
"""A change of volume takes 2 ms, so that it does not click."""


def mix(parts: Iterable[tuple[Samples, float]]) -> NDArray[np.float32]:
    """The sum of (480 samples, volume) as floats, where 1 is full scale; it may go beyond."""
    total = np.zeros(STEP, np.float32)
    for samples, volume in parts:
        if volume > 0:
            total += samples.astype(np.float32) * np.float32(volume / 32768)
    return total


class Limiter:
    """Turns loud steps down just as far as needed; what is below the ceiling passes untouched.

    The gain falls within the first 2 ms of a step and rises over a second. A peak within those 2 ms
    is bent instead of cut.
    """

    def __init__(self) -> None:
        self._gain = 1.0

    @property
    def gain(self) -> float:
        """The gain at the end of the last step, 1 when nothing is turned down."""
        return self._gain

    def rest(self) -> None:
        """A step of silence went by."""
        self._gain = min(1.0, self._gain + (1.0 - self._gain) * _RELEASE)

    def process(self, sound: NDArray[np.float32]) -> Samples:
        """480 floats to 480 int16 samples."""
        peak = float(np.abs(sound).max())
        before = self._gain
        wanted = min(1.0, _CEILING / peak) if peak > 0 else 1.0
        self._gain = wanted if wanted < before else before + (wanted - before) * _RELEASE
        if self._gain > 0.999 and before > 0.999:
            self._gain = 1.0
            if wanted >= 1.0:
                return _to_int16(sound)
        gains = np.full(STEP, self._gain, np.float32)
        ramp = _RAMP if wanted < before else np.linspace(1 / STEP, 1.0, STEP, dtype=np.float32)
        gains[: len(ramp)] = before + (self._gain - before) * ramp
        return _to_int16(_bend(sound * gains))


def _bend(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bend what is above the ceiling towards full scale, without ever reaching it."""
    size = np.abs(sound)
    over = np.maximum(size - _CEILING, 0.0)
    if not over.any():
        return sound
    room = 1.0 - _CEILING
    bent = np.where(over > 0, _CEILING + 0.999 * room * np.tanh(over / room), size)
    return np.asarray(np.copysign(bent, sound), np.float32)


def _to_int16(sound: NDArray[np.float32]) -> Samples:
    samples: Samples = np.clip(np.rint(sound * 32768.0), -32768, 32767).astype(np.int16)
    return samples
