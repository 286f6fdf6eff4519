"""Shortens and lengthens speech by one pitch period, without a click.

Owns the arithmetic only (overlap and add at the lag where the signal is most like itself, the idea
of WSOLA). Refuses to decide when: that is the business of `audio_buffer`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

NEEDED = 1_440  # 30 ms at 48 kHz: two of the longest periods.
_MIN_LAG, _MAX_LAG, _COARSE = 120, 720, 4
_QUIET_RMS = 60.0


def shorten(samples: Samples, most: int = _MAX_LAG) -> Samples:
    """`samples` (at least `NEEDED`) less one period of 2.5 ms to `most` samples (at most 15 ms)."""
    lag = _lag(samples, max(_MIN_LAG, min(_MAX_LAG, most)))
    head = _faded(samples[:lag], samples[lag : 2 * lag])
    return np.concatenate((head, samples[2 * lag :]))


def lengthen(samples: Samples) -> Samples:
    """`samples` (at least `NEEDED`) with their first period played twice."""
    lag = _lag(samples)
    again = _faded(samples[lag : 2 * lag], samples[:lag])
    return np.concatenate((samples[:lag], again, samples[lag:]))


def loudness(samples: Samples) -> float:
    """The root of the mean square."""
    if not len(samples):
        return 0.0
    wide = samples.astype(np.float32)
    return float(np.sqrt(np.dot(wide, wide) / len(wide)))


def _faded(old: Samples, new: Samples) -> Samples:
    ramp = np.linspace(0.0, 1.0, len(old), dtype=np.float32)
    return np.asarray(np.rint(old * (1.0 - ramp) + new * ramp), dtype=np.int16)


def _lag(samples: Samples, most: int = _MAX_LAG) -> int:
    if loudness(samples[:NEEDED]) < _QUIET_RMS:
        return most
    small = samples[:NEEDED:_COARSE].astype(np.float32)
    length = _MAX_LAG // _COARSE
    windows = np.lib.stride_tricks.sliding_window_view(small, length)[_MIN_LAG // _COARSE :]
    windows = windows[: (most - _MIN_LAG) // _COARSE + 1]
    energy = np.einsum("ij,ij->i", windows, windows) + 1.0
    likeness = (windows @ small[:length]) / np.sqrt(energy)
    return _MIN_LAG + _COARSE * int(np.argmax(likeness))
