"""Sound between two clocks: nothing is lost or invented, and little waits."""

from __future__ import annotations

import numpy as np
import pytest

from folkmoot.media.devices.elastic import ElasticBuffer
from folkmoot.media.devices.ring import RATE, STEP, Samples

TONE_HZ = 440


def _tone(begin: int, count: int) -> Samples:
    at = np.arange(begin, begin + count)
    samples: Samples = np.rint(10_000 * np.sin(2 * np.pi * TONE_HZ * at / RATE)).astype(np.int16)
    return samples


def _cross(
    seconds: float, *, ppm: float = 0, piece: int = STEP
) -> tuple[list[Samples | None], int]:
    """A tone that is made by a clock that is so much faster; what was pulled, and what waits."""
    buffer, pulled = ElasticBuffer(), list[Samples | None]()
    made = 0
    for step in range(int(seconds * 100)):
        while (made + piece) <= (step + 1) * STEP * (1 + ppm / 1e6):
            buffer.push(_tone(made, piece))
            made += piece
        pulled.append(buffer.pull())
    return pulled, buffer.depth


@pytest.mark.parametrize("ppm", [-400, -50, 0, 50, 400])
@pytest.mark.parametrize("piece", [STEP, 1_024, 37])
def test_a_tone_crosses_without_a_gap_whatever_the_clocks(ppm: float, piece: int) -> None:
    pulled, waits = _cross(120, ppm=ppm, piece=piece)
    heard = [each for each in pulled[200:] if each is not None]
    assert len(heard) == len(pulled) - 200
    sound = np.concatenate(heard).astype(np.float64)
    # A gap or a click is a jump that no tone of this loudness makes.
    steepest = 10_000 * 2 * np.pi * TONE_HZ / RATE
    assert np.abs(np.diff(sound)).max() < 1.1 * steepest
    assert waits <= 3 * STEP + piece


def test_a_sound_ends_softly_and_the_next_begins_softly() -> None:
    buffer = ElasticBuffer()
    full = np.full(3 * STEP, 10_000, np.int16)
    buffer.push(full)
    pulled = [buffer.pull() for _ in range(6)]
    assert [each is None for each in pulled] == [False] * 3 + [True] * 3
    heard = np.concatenate([each for each in pulled if each is not None]).astype(np.int32)
    assert abs(int(heard[0])) < 100
    assert heard.max() == 10_000


def test_what_is_left_of_a_sound_fades_out() -> None:
    buffer = ElasticBuffer()
    buffer.push(np.full(3 * STEP + 200, 10_000, np.int16))
    heard = [buffer.pull() for _ in range(5)]
    last = heard[3]
    assert last is not None
    assert last[50] == 10_000
    assert 0 <= last[199] < 200
    assert not last[200:].any()
    assert heard[4] is None


def test_a_sound_that_comes_in_large_pieces_waits_longer_and_then_has_no_gaps() -> None:
    pulled, _ = _cross(30, piece=4_096)
    assert all(each is not None for each in pulled[-1_000:])


def test_after_a_standstill_of_who_pulls_what_is_old_is_left_out() -> None:
    buffer, made = ElasticBuffer(), 0
    for step in range(400):
        buffer.push(_tone(made, STEP))
        made += STEP
        if not 100 <= step < 200:
            assert buffer.depth <= RATE // 4
            buffer.pull()
    assert buffer.depth <= 3 * STEP
