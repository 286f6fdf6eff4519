"""Tells echo from a near voice, and turns the sound down while there is echo and nothing else.

Owns an adaptive filter that predicts the echo of what is played: what it cannot explain, neither
sample by sample nor by its loudness in bands of the last moments, is near sound. The loudness holds
when the echo comes a few milliseconds sooner or later than it did. The filter is only a judge: the
sound itself is cleaned by `processing`, whose canceller lets bursts of a loud echo through. Refuses
to turn down what it cannot explain, so a filter that knows nothing does no harm.

The filter is a Kalman filter in partitions of the frequency domain (Enzner and Vary 2006; Kuech,
Mabande and Enzner 2014), at 16 kHz, with 160 ms of room.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from folkmoot.media.devices.ring import STEP, Samples

_THIN = 3
_STEP = STEP // _THIN
_WINDOW = 2 * _STEP
_BINS = _WINDOW // 2 + 1
_PARTS = 16
_FORGET = 0.999**2
_NEAR_KEEP = 0.9
_UNSURE = 0.1
"""How wrong the filter may be at first: the power of an echo that is 10 dB lower."""
_EMPHASIS = 0.95
"""Takes the weight of low sounds away, which learn quickly and say little."""
_EDGES = np.array([*range(6, 30, 3), 30, 35, 40, 45, 52, 60, 70])
"""Bins at which bands begin, of 300 to 4000 Hz: here it is judged."""
_LAST = 80
_KEEP = 0.6
_QUIET = 1e-6
"""Power below which nothing is heard that could be judged."""
_EXPLAINED_DB, _SLOPE, _LEAST_DB = -6.0, 1.6, -40.0
"""Down to this nothing is turned down; below, so many dB for each one, at most so far."""
_CLOSE_DB, _REST_DB = 8.0, 1.0
"""In 10 ms: how far it is turned down, and how far up while nothing is heard."""
_MOMENTS = 8
"""Steps over which an echo of the same loudness is still that echo."""
_LOUDER = 2.0
"""An echo is at most so much more than predicted, as power."""
_LOST, _LOST_STEPS = 2.0, 30
Numbers = NDArray[np.float32]


class NearGate:
    """The gain for the cleaned sound of the microphone. Takes every step of both sounds."""

    def __init__(self) -> None:
        self._played, self._recorded = _Thinner(), _Thinner()
        self._filter = _EchoFilter()
        self._bands = np.zeros(len(_EDGES))
        self._echoes = np.zeros((_MOMENTS, len(_EDGES)))
        self._said = self._left = 0.0
        self._lost = 0
        self._db = 0.0
        self._before = 1.0

    @property
    def gain_db(self) -> float:
        """The gain now: 0 while somebody near speaks."""
        return self._db

    def jump(self) -> None:
        """The echo comes sooner or later from now on: learn quickly."""
        self._filter.doubt()

    def look(self, played: Samples, recorded: Samples) -> None:
        """480 samples that were played, and 480 recorded before anything was cleaned."""
        sound = self._recorded.take(recorded)
        left = self._filter.take(self._played.take(played), sound)
        self._bands += (1 - _KEEP) * (_powers(sound) - self._bands)
        self._left += (1 - _KEEP) * (float(_powers(left).sum()) - self._left)
        self._said = float(self._bands.sum())
        newest = _KEEP * self._echoes[-1] + (1 - _KEEP) * _powers(sound - left)
        self._echoes = np.concatenate([self._echoes[1:], newest[None]])
        self._watch()
        if self._said < _QUIET:
            self._db = min(0.0, self._db + _REST_DB)
            return
        louder = np.maximum(self._bands - _LOUDER * self._echoes.max(axis=0), 0.0)
        near = min(self._left, float(louder.sum()))
        part = 10 * math.log10(near / self._said + 1e-9)
        wanted = min(max((part - _EXPLAINED_DB) * _SLOPE, _LEAST_DB), 0.0)
        self._db = max(wanted, self._db - _CLOSE_DB)

    def apply(self, cleaned: Samples) -> Samples:
        """The step, as loud as it shall be; the gain glides over it."""
        before, now = self._before, 10 ** (self._db / 20)
        self._before = now
        if before == now == 1.0:
            return cleaned
        glide = np.linspace(before, now, STEP, dtype=np.float32)
        turned: Samples = np.rint(cleaned * glide).astype(np.int16)
        return turned

    def _watch(self) -> None:
        """A filter that makes it worse has lost its way."""
        self._lost = self._lost + 1 if self._left > _LOST * self._said + _QUIET else 0
        if self._lost >= _LOST_STEPS:
            self._filter, self._lost = _EchoFilter(), 0


class _EchoFilter:
    """Learns how the microphone hears the speaker; gives what is not explained by it."""

    def __init__(self) -> None:
        self._far = np.zeros((_PARTS, _BINS), np.complex64)
        self._way = np.zeros((_PARTS, _BINS), np.complex64)
        self._doubt = np.full((_PARTS, _BINS), _UNSURE, np.float32)
        self._near = np.full(_BINS, 1e-3, np.float32)
        self._last = np.zeros(_STEP, np.float32)

    def doubt(self) -> None:
        """What was learnt may be wrong."""
        self._doubt = np.maximum(self._doubt, np.float32(_UNSURE / 4))

    def take(self, played: Numbers, recorded: Numbers) -> Numbers:
        """160 samples of each."""
        self._far[1:] = self._far[:-1].copy()
        self._far[0] = np.fft.rfft(np.concatenate([self._last, played]))
        self._last = played
        echo = np.fft.irfft((self._far * self._way).sum(axis=0))[_STEP:]
        left = recorded - echo.astype(np.float32)
        error = _spectrum(left)
        self._near = _NEAR_KEEP * self._near + (1 - _NEAR_KEEP) * _square(error)
        loud = _square(self._far)
        rate = self._doubt / (0.5 * (loud * self._doubt).sum(axis=0) + self._near + 1e-7)
        response = np.fft.irfft(self._way + rate * np.conj(self._far) * error, axis=1)
        response[:, _STEP:] = 0  # of a circular filter only the first half is a room
        self._way = np.fft.rfft(response, axis=1).astype(np.complex64)
        learnt = (1 - 0.5 * rate * loud) * self._doubt
        self._doubt = _FORGET * learnt + (1 - _FORGET) * _square(self._way)
        return left


class _Thinner:
    """From 48 kHz to 16 kHz, with the high sounds lifted."""

    def __init__(self) -> None:
        at = np.arange(-30, 31)
        taps = np.sinc(at / _THIN * 0.9) * np.hamming(len(at))
        taps /= taps.sum() * 32768
        self._taps = np.convolve(taps, [1.0, *[0.0] * (_THIN - 1), -_EMPHASIS]).astype(np.float32)
        self._rest = np.zeros(len(self._taps) - 1, np.float32)

    def take(self, samples: Samples) -> Numbers:
        """480 samples to 160."""
        sound = np.concatenate([self._rest, samples.astype(np.float32)])
        self._rest = sound[-len(self._rest) :]
        thinned: Numbers = np.convolve(sound, self._taps, "valid")[::_THIN]
        return thinned


def _spectrum(sound: Numbers) -> NDArray[np.complex64]:
    return np.fft.rfft(np.concatenate([np.zeros(_STEP, np.float32), sound])).astype(np.complex64)


def _square(values: NDArray[np.complex64]) -> Numbers:
    return np.asarray(values.real**2 + values.imag**2, np.float32)


def _powers(sound: Numbers) -> NDArray[np.float64]:
    """Mean power in each band."""
    bins = _square(_spectrum(sound))[:_LAST].astype(np.float64)
    return np.add.reduceat(bins, _EDGES) * (2 / _WINDOW / _STEP)
