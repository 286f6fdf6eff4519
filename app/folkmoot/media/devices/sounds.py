"""Sounds that are not recorded: the test voice, the melody of the device check, the sounds of a
call (it rings, somebody comes, it ends), files.

A sound is pulled 480 samples at a time. Refuses files without sound (`ValueError`).
"""

from __future__ import annotations

from collections.abc import Generator
from functools import cache
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray

from folkmoot.media.devices.ring import RATE, STEP, SampleRing, Samples

TEST_TONE_HZ = 440.0
TEST_BURST_S, TEST_PERIOD_S = 0.75, 1.0
_MELODY_HZ = (523.25, 659.25, 783.99, 1046.5)
_NOTE_S = 0.18
Notes = tuple[tuple[float, float], ...]
"""When each note begins (s), and its pitch in Hz."""
_TONES: dict[str, tuple[Notes, float, float]] = {
    "ring": (((0.0, 659.25), (0.28, 830.61), (1.0, 659.25), (1.28, 830.61)), 3.6, 0.16),
    "waiting": (((0.0, 587.33), (0.22, 783.99)), 5.0, 0.05),
    "ringback": (((0.0, 392.0), (0.4, 493.88)), 4.0, 0.06),
}
"""Notes, how often they come (s), how loud they are: quieter where voices are heard."""
_CUES: dict[str, Notes] = {
    "joined": ((0.0, 523.25), (0.12, 783.99)),
    "left": ((0.0, 587.33), (0.12, 440.0)),
    "ended": ((0.0, 493.88), (0.12, 392.0), (0.24, 293.66)),
}
_CUE_S, _CUE_LOUD = 0.8, 0.06


class Sound(Protocol):
    """Something that sounds."""

    def pull(self) -> Samples | None:
        """The next 10 ms; None at the end, or while nothing is there."""
        ...


class TestSound:
    """A steady pattern: each second 0.75 s of a buzz at 440 Hz with syllables, then silence."""

    __test__ = False  # no test, whatever pytest thinks of its name

    def __init__(self) -> None:
        self._samples = _test_second()
        self._at = 0

    def pull(self) -> Samples:
        """The next 10 ms."""
        step = self._samples[self._at : self._at + STEP]
        self._at = (self._at + STEP) % len(self._samples)
        return step


class Melody:
    """Four notes of a chord, once."""

    def __init__(self) -> None:
        self._samples = _melody()
        self._at = 0

    def pull(self) -> Samples | None:
        """The next 10 ms, None at the end."""
        if self._at + STEP > len(self._samples):
            return None
        step = self._samples[self._at : self._at + STEP]
        self._at += STEP
        return step


class Tone:
    """What sounds while it rings, again and again; an unknown kind is silent."""

    def __init__(self, kind: str) -> None:
        self._samples = _tone(kind) if kind in _TONES else np.zeros(STEP, np.int16)
        self._at = 0

    def pull(self) -> Samples:
        """The next 10 ms."""
        step = self._samples[self._at : self._at + STEP]
        self._at = (self._at + STEP) % len(self._samples)
        return step


class Cue:
    """A short sound, once; an unknown kind has none."""

    def __init__(self, kind: str) -> None:
        self._samples = _cue(kind) if kind in _CUES else np.zeros(0, np.int16)
        self._at = 0

    def pull(self) -> Samples | None:
        """The next 10 ms, None at the end."""
        if self._at + STEP > len(self._samples):
            return None
        step = self._samples[self._at : self._at + STEP]
        self._at += STEP
        return step


class FileSound:
    """Any file that PyAV reads, again and again, as mono at 48 kHz. Decoded as it is needed.

    Raises `ValueError`, `OSError` or `av.error.FFmpegError` when made, and also when pulled.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._ring = SampleRing(RATE * 2)
        self._pieces = self._read()
        self._fill()

    def pull(self) -> Samples | None:
        """The next 10 ms."""
        self._fill()
        return self._ring.pull(STEP)

    def close(self) -> None:
        """Close the file."""
        self._pieces.close()

    def _fill(self) -> None:
        while self._ring.depth < STEP:
            self._ring.push(next(self._pieces))

    def _read(self) -> _Pieces:
        while True:
            heard = False
            with av.open(self._path) as container:
                if not container.streams.audio:
                    raise ValueError("it has no sound")
                resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
                for frame in container.decode(audio=0):
                    for piece in resampler.resample(frame):
                        heard = heard or piece.samples > 0
                        yield from _split(np.asarray(piece.to_ndarray(), np.int16).reshape(-1))
            if not heard:
                raise ValueError("it has no sound")


_Pieces = Generator[Samples, None, None]


def _split(samples: Samples) -> _Pieces:
    """A frame in pieces that fit the ring, however long a file makes it."""
    for start in range(0, len(samples), RATE):
        yield samples[start : start + RATE]


def _test_second() -> Samples:
    time = np.arange(int(RATE * TEST_PERIOD_S)) / RATE
    buzz = sum(np.sin(2 * np.pi * TEST_TONE_HZ * n * time) / n**1.5 for n in range(1, 6))
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 8 * time - np.pi / 2)
    edge = np.clip(np.minimum(time, TEST_BURST_S - time) / 0.01, 0, 1)
    return _quantise(np.asarray(buzz) * syllables * edge * 0.25)


def _melody() -> Samples:
    total = np.zeros(int(RATE * (_NOTE_S * len(_MELODY_HZ) + 0.8)))
    for place, pitch in enumerate(_MELODY_HZ):
        start = int(place * _NOTE_S * RATE)
        time = np.arange(len(total) - start) / RATE
        tone = np.sin(2 * np.pi * pitch * time) + 0.25 * np.sin(4 * np.pi * pitch * time)
        total[start:] += tone * np.exp(-time * 5) * np.clip(time / 0.005, 0, 1) * 0.18
    total *= np.clip(np.arange(len(total), 0, -1) / (RATE * 0.1), 0, 1)
    return _quantise(total)


@cache
def _tone(kind: str) -> Samples:
    notes, every_s, loud = _TONES[kind]
    return _chimes(notes, every_s, 3.0, loud)


@cache
def _cue(kind: str) -> Samples:
    return _chimes(_CUES[kind], _CUE_S, 7.0, _CUE_LOUD)


def _chimes(notes: Notes, lasts_s: float, fall: float, loud: float) -> Samples:
    """Soft strokes: a pure note with a little of its octave, which fades sooner."""
    total = np.zeros(int(RATE * lasts_s))
    for start_s, pitch in notes:
        start = int(start_s * RATE)
        time = np.arange(len(total) - start) / RATE
        note = np.sin(2 * np.pi * pitch * time) * np.exp(-time * fall)
        note += 0.2 * np.sin(4 * np.pi * pitch * time) * np.exp(-time * 3 * fall)
        total[start:] += note * np.clip(time / 0.015, 0, 1) * loud
    total *= np.clip(np.arange(len(total), 0, -1) / (RATE * 0.1), 0, 1)
    return _quantise(total)


def _quantise(sound: NDArray[np.float64]) -> Samples:
    samples = np.clip(np.rint(sound * 32767), -32768, 32767).astype(np.int16)
    return samples[: len(samples) // STEP * STEP]
