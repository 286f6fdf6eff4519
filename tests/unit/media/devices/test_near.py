"""The judge of near speech: turned down is the echo, and only the echo."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folkmoot.media.devices.near import NearGate
from unit.media.devices.room import RATE, STEP, Sound, echo, quantise, speak

SECONDS = 6
SETTLED = slice(300, None)


def _gains(heard: Sound, far: Sound, gate: NearGate | None = None) -> NDArray[np.float64]:
    """The gain in dB, and whether the step has sound, for each step."""
    gate = gate or NearGate()
    gains = []
    played, recorded = quantise(far), quantise(heard)
    for at in range(0, len(played) - STEP + 1, STEP):
        gate.look(played[at : at + STEP], recorded[at : at + STEP])
        gains.append(gate.gain_db)
    return np.array(gains)


def _loud(sound: Sound) -> NDArray[np.bool_]:
    steps = sound[: len(sound) // STEP * STEP].reshape(-1, STEP)
    return np.asarray(np.sqrt((steps**2).mean(axis=1)) > 0.03)


def test_echo_alone_is_turned_down() -> None:
    far = speak(1, SECONDS) * 0.5
    gains = _gains(echo(far), far)[SETTLED]
    assert np.median(gains[_loud(far)[SETTLED]]) < -15


def test_somebody_near_is_not_turned_down() -> None:
    near = speak(2, SECONDS) * 0.35
    assert np.all(_gains(near, near * 0) > -0.1)


def test_who_speaks_into_the_echo_is_not_turned_down() -> None:
    far, near = speak(1, SECONDS) * 0.15, speak(2, SECONDS) * 0.35
    gains = _gains(echo(far) + near, far)[SETTLED]
    spoken = gains[_loud(near)[SETTLED]]
    assert np.mean(spoken > -1) > 0.8


def test_the_first_word_after_echo_alone_is_heard_at_once() -> None:
    far, near = speak(1, SECONDS) * 0.3, speak(2, SECONDS) * 0.35
    begins = 4 * RATE
    near[:begins] = 0
    first = begins // STEP + int(np.argmax(_loud(near)[begins // STEP :]))
    gains = _gains(echo(far) + near, far)
    assert gains[first + 3] > -3


def test_an_echo_that_moved_is_learnt_again() -> None:
    far = speak(1, SECONDS) * 0.5
    early, late = echo(far, delay_s=0.03), echo(far, delay_s=0.09)
    half = SECONDS * RATE // 2
    gate = NearGate()
    _gains(early[:half], far[:half], gate)
    gate.jump()
    gains = _gains(late[half:], far[half:], gate)
    loud = _loud(far[half:])
    assert np.median(gains[150:][loud[150:]]) < -10


def test_an_echo_that_slipped_unnoticed_stays_down() -> None:
    """The device was silent for 4 ms without a word."""
    far = speak(1, SECONDS) * 0.5
    half = SECONDS * RATE // 2
    gate = NearGate()
    _gains(echo(far)[:half], far[:half], gate)
    gains = _gains(echo(far, delay_s=0.044)[half:], far[half:], gate)
    loud = _loud(far[half:])
    assert np.mean(gains[loud] < -10) > 0.8


def test_the_gain_glides() -> None:
    gate = NearGate()
    far = speak(1, 2) * 0.5
    heard = quantise(far * 0.4)
    flat = np.full(STEP, 10_000, np.int16)
    last = 10_000
    for at in range(0, len(heard) - STEP + 1, STEP):
        gate.look(quantise(far)[at : at + STEP], heard[at : at + STEP])
        out = gate.apply(flat).astype(int)
        assert np.abs(np.diff(np.concatenate([[last], out]))).max() < 150
        last = out[-1]
    assert last < 8_000
