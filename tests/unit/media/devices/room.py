"""A room with a loudspeaker and a microphone: speech-like signals and their echo, from a seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE, STEP = 48_000, 480
Sound = NDArray[np.float64]


def speak(seed: int, seconds: float) -> Sound:
    """Syllables with formants of their own, voiced or hissed, and pauses; its peak is 1."""
    chance = np.random.default_rng(seed)
    count = int(seconds * RATE)
    sound = np.zeros(count + RATE)
    at, pitch = 0, 120.0
    while at < count:
        length = int(chance.uniform(0.12, 0.28) * RATE)
        pitch = float(np.clip(pitch + chance.normal(0, 12), 85, 210))
        if chance.random() > 0.15:
            edge = np.clip(np.minimum(np.arange(length), np.arange(length, 0, -1)) / 1500, 0, 1)
            sound[at : at + length] += _syllable(chance, length, pitch) * edge
        at += int(length * chance.uniform(0.8, 1.3))
    sound = sound[:count]
    return np.asarray(sound / np.abs(sound).max())


def _syllable(chance: np.random.Generator, length: int, pitch: float) -> Sound:
    glide = pitch * (1 + np.linspace(0, chance.normal(0, 0.15), length))
    wobble = 1 + 0.02 * np.cumsum(chance.normal(0, 0.05, length)) / 10
    voiced = chance.random() < 0.75
    breath = chance.normal(0, 0.15 if voiced else 0.6, length)
    buzz = 2 * (np.cumsum(glide * wobble) / RATE % 1.0) - 1 if voiced else 0.0
    hertz = np.fft.rfftfreq(length, 1 / RATE)
    shape = (hertz > 90) / (1 + (hertz / (700 if voiced else 5000)) ** 2)
    for low, high in ((300, 900), (900, 2300), (2300, 3400)):
        shape = shape * (1 + 3 * np.exp(-(((hertz - chance.uniform(low, high)) / 120) ** 2)))
    sound = np.fft.irfft(np.fft.rfft(buzz + breath) * shape, length)
    return np.asarray(sound / np.abs(sound).max() * chance.uniform(0.3, 1.0))


def echo(far: Sound, seed: int = 5, delay_s: float = 0.04) -> Sound:
    """What the microphone hears of `far`: -10 dB direct, -10 dB of room."""
    chance = np.random.default_rng(seed)
    response = np.zeros(int(0.2 * RATE))
    first = int(delay_s * RATE)
    response[first] = 0.3
    later = np.arange(first + 50, len(response))
    decay = np.exp(-(later - first) / (0.03 * RATE))
    response[later] = chance.normal(0, 0.01, len(later)) * decay
    size = len(far) + len(response)
    return np.fft.irfft(np.fft.rfft(far, size) * np.fft.rfft(response, size), size)[: len(far)]


def quantise(sound: Sound) -> NDArray[np.int16]:
    """To int16 samples."""
    return np.clip(np.rint(sound * 32767), -32768, 32767).astype(np.int16)


def ratio_db(above: NDArray[np.generic], below: NDArray[np.generic]) -> float:
    """Power of one sound over that of another."""
    power = [float((each.astype(np.float64) ** 2).mean()) + 1e-9 for each in (above, below)]
    return 10 * float(np.log10(power[0] / power[1]))


def kept_db(out: NDArray[np.generic], wanted: NDArray[np.generic]) -> float:
    """How much of `wanted` is in `out`: their common part over `wanted`, in bands of 47 Hz.

    A delay of up to 25 ms is found first. What is in `out` besides does not count.
    """
    first, second = out.astype(np.float64), wanted.astype(np.float64)
    size = 2 * len(first)
    cross = np.fft.irfft(np.fft.rfft(first, size) * np.conj(np.fft.rfft(second, size)), size)
    lag = int(np.argmax(np.abs(cross[:1200])))
    first, second = first[lag:], second[: len(second) - lag]
    both = [_spectra(each) for each in (first, second)]
    common = np.abs((both[0] * np.conj(both[1])).sum(axis=0))
    power = (np.abs(both[1]) ** 2).sum(axis=0)
    part = common / (power + 1e-9)
    return 10 * float(np.log10((part**2 * power).sum() / power.sum()))


def _spectra(sound: Sound) -> NDArray[np.complex128]:
    count = (len(sound) - 1024) // 512
    frames = np.stack([sound[at * 512 :][:1024] for at in range(count)]) * np.hanning(1024)
    return np.fft.rfft(frames, axis=1)
