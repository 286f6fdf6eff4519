"""The tape of the speaker beside that of the microphone: neither slips."""

from __future__ import annotations

import numpy as np

from folkmoot.media.devices.reference import Reference
from folkmoot.media.devices.ring import STEP, Samples


def _count(start: int, steps: int = 1) -> Samples:
    return np.arange(start, start + steps * STEP, dtype=np.int64).astype(np.int16)


def _running() -> tuple[Reference, int]:
    """One that has given a step; how many samples were pushed."""
    made = Reference()
    made.push(_count(1, 3))
    assert np.array_equal(made.pull(), _count(1))
    return made, 1 + 3 * STEP


def test_it_waits_until_something_is_behind() -> None:
    made = Reference()
    made.push(_count(1, 2))
    assert not made.pull().any()
    made.push(_count(1 + 2 * STEP))
    assert np.array_equal(made.pull(), _count(1))


def test_what_is_late_is_silence_and_moves_nothing() -> None:
    made, end = _running()
    made.pull()
    made.pull()
    assert not made.pull().any()  # the speaker's thread is late by one step
    made.push(_count(end, 3))
    assert np.array_equal(made.pull(), _count(end + STEP))
    assert not made.take_jump()


def test_half_a_step_is_used() -> None:
    made, end = _running()
    made.pull()
    made.pull()
    made.push(_count(end)[:100])
    first = made.pull()
    assert np.array_equal(first[:100], _count(end)[:100])
    assert not first[100:].any()
    made.push(_count(end, 3)[100:])
    assert np.array_equal(made.pull(), _count(end + STEP))


def test_bursts_change_nothing() -> None:
    made, end = _running()
    made.push(_count(end, 5))
    for step in range(1, 8):
        assert np.array_equal(made.pull(), _count(1 + step * STEP))
    assert not made.take_jump()


def test_a_speaker_that_stops_begins_anew_later() -> None:
    made, _ = _running()
    for _ in range(40):
        made.pull()
    assert made.take_jump()
    made.push(_count(5, 3))
    assert np.array_equal(made.pull(), _count(5))


def test_what_is_far_behind_all_the_time_is_caught_up_with() -> None:
    made, end = _running()
    made.push(np.zeros(20 * STEP, np.int16))
    for _ in range(250):
        made.push(_count(end))
        made.pull()
    assert made.take_jump()
    assert made.behind <= 3 * STEP
