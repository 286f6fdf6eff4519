"""Follows a sound through a call: how late each 20 ms of it came out, and which never did.

The sound is unmistakable noise in the band of speech, so that a piece is found by correlation and
what a decoder makes up for a lost packet is not. Works on whole recordings, afterwards.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lab.sound import RATE, Samples

PIECE_S = 0.02
_STEP = 3
"""Recordings are thinned to 16 kHz first."""
_THIN = RATE // _STEP
_PIECE = int(_THIN * PIECE_S)
_HEARD = 0.6
"""Correlation of a piece that arrived; of made-up noise it stays below 0.4."""
_LOUD = 0.25


def make_noise(seconds: float, seed: int = 7) -> Samples:
    """Noise from 300 to 3400 Hz that swells and falls as syllables do, never silent."""
    chance = np.random.default_rng(seed)
    count = int(RATE * seconds)
    spectrum = np.fft.rfft(chance.normal(0, 1, count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0
    noise = np.fft.irfft(spectrum, count)
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 3 * np.arange(count) / RATE)
    shaped: Samples = (noise / np.abs(noise).max() * swell * 0.9).astype(np.float32)
    return shaped


@dataclass(frozen=True)
class Trace:
    """For each piece of the sound: when it was said (s), and how late it came out, NaN if never."""

    said_at: npt.NDArray[np.float64]
    late_s: npt.NDArray[np.float64]

    def lost(self, start: float = -np.inf, end: float = np.inf) -> float:
        """The share that never came out, of what was said from `start` to `end`."""
        chosen = self.late_s[(self.said_at >= start) & (self.said_at < end)]
        return float(np.isnan(chosen).mean()) if len(chosen) else 1.0

    def delay(self, start: float = -np.inf, end: float = np.inf) -> float:
        """Median delay in seconds of what was said then; NaN if nothing came out."""
        chosen = self.late_s[(self.said_at >= start) & (self.said_at < end)]
        chosen = chosen[~np.isnan(chosen)]
        return float(statistics.median(chosen.tolist())) if len(chosen) else float("nan")


def trace(
    said: Samples, said_start: float, heard: Samples, heard_start: float, longest_s: float = 3.0
) -> Trace:
    """Find each piece of `said` in `heard`; the starts are times of the same clock in seconds.

    A piece is looked for near where the one before it was, and up to `longest_s` late when it is
    not there.
    """
    a, b = _thin(said), _thin(heard)
    shift = said_start - heard_start
    at, late = [], []
    guess = -1.0
    for start in range(0, len(a) - _PIECE, _PIECE):
        piece = a[start : start + _PIECE]
        moment = start / _THIN
        at.append(said_start + moment)
        if float(np.sqrt(np.mean(piece**2))) < _LOUD * 0.01:
            late.append(float("nan"))
            continue
        found = None
        if guess >= 0:
            found = _look(piece, b, moment + shift + guess - 0.03, 0.06)
        if found is None:
            found = _look(piece, b, moment + shift - 0.01, longest_s)
        if found is None:
            late.append(float("nan"))
        else:
            guess = found - moment - shift
            late.append(guess)
    return Trace(np.array(at), np.array(late))


def _look(piece: Samples, heard: Samples, start_s: float, length_s: float) -> float | None:
    """Where `piece` is best found in `heard` from `start_s`, in seconds; None below `_HEARD`."""
    first = max(0, int(start_s * _THIN))
    window = heard[first : first + int(length_s * _THIN) + len(piece)]
    if len(window) < len(piece):
        return None
    size = 1 << (len(window) + len(piece) - 1).bit_length()
    product = np.fft.rfft(window, size) * np.conj(np.fft.rfft(piece, size))
    match = np.fft.irfft(product, size)[: len(window) - len(piece) + 1]
    power = np.concatenate(([0.0], np.cumsum(window.astype(np.float64) ** 2)))
    here = np.maximum(power[len(piece) :] - power[: -len(piece)], 1e-7)
    score = match / np.sqrt(here * float(np.sum(piece.astype(np.float64) ** 2)))
    best = int(np.argmax(score))
    return (first + best) / _THIN if score[best] >= _HEARD else None


def _thin(samples: Samples) -> Samples:
    """To 16 kHz; what is above 8 kHz is filtered out first."""
    count = len(samples) // _STEP * _STEP
    spectrum = np.fft.rfft(samples[:count])
    thinned: Samples = np.fft.irfft(spectrum[: count // _STEP // 2 + 1], count // _STEP).astype(
        np.float32
    )
    thinned /= _STEP
    return thinned
