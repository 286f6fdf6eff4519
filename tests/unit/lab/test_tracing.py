"""A sound is followed through a spoiled recording."""

from __future__ import annotations

import numpy as np
import pytest

from lab.sound import RATE
from lab.tracing import make_noise, trace

PACKET = RATE // 50


def test_the_delay_of_a_whole_recording_is_found() -> None:
    said = make_noise(2)
    heard = np.concatenate([np.zeros(RATE // 10, np.float32), said * 0.3])
    found = trace(said, 100.0, heard, 100.0)
    assert found.lost() < 0.01
    assert found.delay() == pytest.approx(0.1, abs=0.001)


def test_starts_of_recordings_count() -> None:
    said = make_noise(2)
    assert trace(said, 100.0, said, 100.05).delay() == pytest.approx(0.05, abs=0.001)


def test_what_is_replaced_by_silence_or_other_noise_is_lost() -> None:
    said = make_noise(4)
    heard, other = said.copy(), make_noise(4, seed=8)
    for number in range(0, 200, 10):
        heard[number * PACKET : (number + 1) * PACKET] = 0
        place = slice((number + 5) * PACKET, (number + 6) * PACKET)
        heard[place] = other[place]
    assert trace(said, 0.0, heard, 0.0).lost() == pytest.approx(0.2, abs=0.02)


def test_a_delay_that_grows_is_followed() -> None:
    said = make_noise(4)
    late = np.zeros(RATE // 2, np.float32)
    heard = np.concatenate([said[: RATE * 2], late, said[RATE * 2 :]])
    found = trace(said, 0.0, heard, 0.0)
    assert found.delay(0, 1.9) == pytest.approx(0, abs=0.001)
    assert found.delay(2.1, 4) == pytest.approx(0.5, abs=0.001)
    assert found.lost() < 0.03
