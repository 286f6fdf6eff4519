"""Who speaks: speech lights a name, a cough, a keyboard and a fan do not."""

from __future__ import annotations

import numpy as np

from folkmoot.media.devices.levels import Level
from folkmoot.media.devices.ring import RATE, STEP, Samples
from unit.media.devices.room import quantise, speak


def _noise(seconds: float, amplitude: float) -> Samples:
    chance = np.random.default_rng(3)
    return quantise(chance.normal(0, amplitude, int(seconds * RATE)))


def _run(level: Level, sound: Samples) -> list[bool]:
    lit = []
    for at in range(0, len(sound) - STEP + 1, STEP):
        level.take(sound[at : at + STEP])
        lit.append(level.speaks)
    return lit


def test_speech_lights_and_silence_puts_out() -> None:
    level = Level()
    _run(level, _noise(1, 0.001))
    lit = _run(level, quantise(speak(4, 4) * 0.5))
    assert True in lit
    assert lit.index(True) < 120
    assert sum(lit) > 200
    lit = _run(level, _noise(2, 0.001))
    assert lit[-1] is False
    assert lit.index(False) < 120


def test_speech_is_not_put_out_between_words() -> None:
    level = Level()
    syllable, pause = _noise(0.3, 0.1), _noise(0.2, 0.001)
    _run(level, np.concatenate([syllable, pause] * 4))
    assert all(_run(level, np.concatenate([syllable, pause] * 6)))


def test_a_cough_does_not_light() -> None:
    level = Level()
    _run(level, _noise(1, 0.001))
    assert not any(_run(level, np.concatenate([_noise(0.22, 0.4), _noise(1, 0.001)])))


def test_a_keyboard_does_not_light() -> None:
    level = Level()
    strike = np.concatenate([_noise(0.03, 0.2), _noise(0.09, 0.001)])
    assert not any(_run(level, np.concatenate([strike] * 60)))


def test_a_steady_fan_goes_out() -> None:
    level = Level()
    assert not any(_run(level, _noise(30, 0.02))[-500:])


def test_loudness_goes_up_at_once_and_to_nothing_in_silence() -> None:
    level = Level()
    _run(level, _noise(0.05, 0.2))
    assert level.loudness > 0.6
    for _ in range(200):
        level.take(None)
    assert level.loudness == 0.0
    assert not level.is_heard


def test_what_is_not_the_voice_does_not_count_where_it_is_known() -> None:
    level = Level()
    music = quantise(speak(4, 4) * 0.5)
    for at in range(0, len(music) - STEP + 1, STEP):
        level.take(music[at : at + STEP], -127.0)
        assert not level.is_heard
    for _ in range(100):
        level.take(music[:STEP], -20.0)
    assert level.speaks
