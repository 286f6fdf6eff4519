"""Sounds on the clock of a recording: in step, whatever clock they have, and summed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from folkmoot.media.devices.ring import RATE, STEP
from folkmoot.media.recording.voices import SPAN, Line, Track

TONE = np.asarray(np.rint(np.sin(np.arange(STEP) * 0.05) * 8_000), np.int16)


def _play(line: Line, blocks: int, ppm: float, jitter: int = 0, begin: int = 0) -> list[int]:
    """How far each block was put from where it belongs, in samples."""
    chance = np.random.default_rng(1)
    apart = []
    for block in range(blocks):
        true = begin + round(block * STEP / (1 + ppm / 1e6))
        at, _ = line.place(TONE, true + int(chance.integers(-jitter, jitter + 1)))
        apart.append(at - true)
    return apart


@pytest.mark.parametrize("ppm", [-300.0, -50.0, 0.0, 50.0, 300.0])
def test_a_voice_whose_clock_is_wrong_stays_within_ten_milliseconds(ppm: float) -> None:
    apart = _play(Line(), blocks=60_000, ppm=ppm)  # ten minutes
    assert max(map(abs, apart)) < RATE // 100


def test_what_comes_unevenly_is_put_down_in_a_row() -> None:
    line = Line()
    chance = np.random.default_rng(2)
    places = []
    for block in range(500):
        at, sound = line.place(TONE, block * STEP + int(chance.integers(-300, 301)))
        places.append((at, len(sound)))
    steps = [there - at - size for (at, size), (there, _) in itertools.pairwise(places)]
    assert set(steps) == {0}


def test_a_hole_becomes_silence() -> None:
    line = Line()
    line.place(TONE, 0)
    at, _ = line.place(TONE, 5 * RATE)
    assert at == 5 * RATE


def test_a_voice_that_is_far_behind_for_a_moment_is_left_alone() -> None:
    line = Line()
    for block in range(20):
        line.place(TONE, block * STEP)
    at, _ = line.place(TONE, 20 * STEP + 3_000)
    assert at == 20 * STEP


def test_a_voice_that_stays_far_ahead_is_cut_into_step() -> None:
    line = Line()
    for block in range(20):
        line.place(TONE, block * STEP)
    early = 4_000
    ends = []
    for block in range(20, 60):
        at, sound = line.place(TONE, block * STEP - early)
        ends.append(at + len(sound) - ((block + 1) * STEP - early))
    assert abs(ends[-1]) < 200


def test_no_sample_is_put_twice_at_a_place() -> None:
    line = Line()
    chance = np.random.default_rng(3)
    end = -(10**9)
    for block in range(3_000):
        far = 0 if block % 500 < 400 else 6_000
        at, sound = line.place(TONE, block * STEP - far + int(chance.integers(-200, 200)))
        if len(sound):
            assert at >= end
            end = at + len(sound)


def test_a_track_sums_and_forgets_what_was_taken() -> None:
    track = Track()
    for begin in range(0, 3 * SPAN, STEP):
        track.add(begin, np.full(STEP, 0.25, np.float32))
        track.add(begin + 100, np.full(STEP - 100, 0.5, np.float32))
        taken = track.take(STEP)
        assert np.allclose(taken[:100], 0.25)
        assert np.allclose(taken[100:], 0.75)


def test_a_track_leaves_out_what_comes_too_late_or_too_early() -> None:
    track = Track()
    track.take(1_000)
    track.add(900, np.ones(200, np.float32))
    track.add(1_000 + SPAN - 10, np.ones(100, np.float32))
    taken = track.take(SPAN)
    assert taken[:100].all()
    assert not taken[100:-10].any()
    assert taken[-10:].all()
    assert not track.take(SPAN).any()


def test_a_stretched_voice_keeps_its_tone() -> None:
    line = Line()
    parts = []
    wave = np.asarray(np.rint(np.sin(np.arange(RATE * 20) * 0.05) * 8_000), np.int16)
    for block in range(len(wave) // STEP):
        _, sound = line.place(wave[block * STEP :][:STEP], round(block * STEP * 1.0003))
        parts.append(sound)
    made = np.concatenate(parts)[RATE:]
    power = np.abs(np.fft.rfft(made * np.hanning(len(made)))) ** 2
    peak = int(power.argmax())
    near = power[max(0, peak - 60) : peak + 60].sum()
    assert near / power.sum() > 0.999
