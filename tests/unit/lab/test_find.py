"""A sound is found again in a recording."""

from __future__ import annotations

import numpy as np

from lab.sound import RATE, chirp, find, repeated


def test_each_chirp_is_found_at_its_place_in_noise() -> None:
    sound = chirp()
    samples = repeated(sound, 5, 0.5) * 0.2
    noisy = samples + np.random.default_rng(1).normal(0, 0.01, len(samples)).astype(np.float32)
    wanted = [int(RATE * (0.3 + 0.5 * number)) for number in range(5)]
    assert all(abs(at - place) <= 2 for at, place in zip(find(noisy, sound), wanted, strict=True))


def test_nothing_is_found_in_noise_and_silence() -> None:
    sound = chirp()
    noise = np.random.default_rng(1).normal(0, 0.1, RATE).astype(np.float32)
    assert find(noise, sound) == []
    assert find(np.zeros(RATE, np.float32), sound) == []
    assert find(np.zeros(10, np.float32), sound) == []
