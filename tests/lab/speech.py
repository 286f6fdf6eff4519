"""Made-up speech: vowels of a changing voice with consonants and pauses, for what cleans sound.

Enough of a voice that noise suppression lets it pass and echo cancellation has its usual work;
the same from the same seed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lab.sound import RATE, Samples

Numbers = npt.NDArray[np.float64]
_VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480))
"""Formants in Hz of four vowels."""
_HIGHEST_HZ = 4000


def make_speech(seconds: float, seed: int, pitch_hz: float = 120) -> Samples:
    """A voice that speaks for so long, one pause in six syllables; its peak is 0.5."""
    chance = np.random.default_rng(seed)
    out = np.zeros(int(RATE * seconds))
    at = 0
    while at < len(out):
        length = int(RATE * chance.uniform(0.14, 0.3))
        if chance.random() < 1 / 6:
            at += length
            continue
        sound = _consonant(chance) if chance.random() < 0.3 else _vowel(chance, length, pitch_hz)
        sound = sound[: len(out) - at]
        out[at : at + len(sound)] += sound
        at += len(sound)
    speech: Samples = (0.5 * out / np.abs(out).max()).astype(np.float32)
    return speech


def _vowel(chance: np.random.Generator, length: int, pitch_hz: float) -> Numbers:
    formants = _VOWELS[chance.integers(len(_VOWELS))]
    start, end = pitch_hz * chance.uniform(0.85, 1.3, 2)
    phase = 2 * np.pi * np.cumsum(np.linspace(start, end, length)) / RATE
    out = np.zeros(length)
    for number in range(1, int(_HIGHEST_HZ / start)):
        hertz = number * start
        loud = sum(1 / (1 + ((hertz - each) / 90) ** 2) for each in formants) + 0.02
        out += loud / number**0.5 * np.sin(number * phase + chance.uniform(0, 6.28))
    return out * np.sin(np.linspace(0, np.pi, length)) ** 0.5


def _consonant(chance: np.random.Generator) -> Numbers:
    length = int(RATE * chance.uniform(0.05, 0.1))
    spectrum = np.fft.rfft(chance.normal(0, 1, length))
    hertz = np.fft.rfftfreq(length, 1 / RATE)
    spectrum[(hertz < 1500) | (hertz > 6000)] = 0
    return np.fft.irfft(spectrum, length) * np.hanning(length) * 1.5
