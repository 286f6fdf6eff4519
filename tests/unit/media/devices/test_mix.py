"""Mixing and the limiter: the sum is right, and it is never cut off."""

from __future__ import annotations

import numpy as np
import pytest

from folkmoot.media.devices.mix import Limiter, mix
from folkmoot.media.devices.ring import RATE, STEP, SampleRing, Samples


def _tone(amplitude: float, step: int = 0, hertz: float = 300.0) -> Samples:
    time = (np.arange(STEP) + step * STEP) / RATE
    return np.rint(np.sin(2 * np.pi * hertz * time) * amplitude).astype(np.int16)


def test_voices_are_added_with_their_volumes() -> None:
    mixed = mix([(_tone(1000), 1.0), (_tone(3000), 0.5), (_tone(9000), 0.0)])
    assert np.abs(mixed * 32768 - _tone(2500)).max() < 2


def test_what_is_not_loud_passes_unchanged() -> None:
    limiter = Limiter()
    for step in range(20):
        samples = _tone(20_000, step)
        assert np.array_equal(limiter.process(mix([(samples, 1.0)])), samples)


def test_loud_voices_together_are_not_cut_off() -> None:
    """Three loud voices: no sample reaches full scale, and the tone stays a tone."""
    limiter = Limiter()
    out = np.concatenate(
        [limiter.process(mix([(_tone(30_000, step), 1.0)] * 3)) for step in range(50)]
    )
    assert np.abs(out.astype(np.int32)).max() < 32767
    settled = out[STEP * 10 :].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(settled * np.hanning(len(settled)))) ** 2
    tone = int(300 * len(settled) / RATE)
    wanted = spectrum[tone - 3 : tone + 4].sum()
    assert wanted / spectrum.sum() > 0.999


def test_the_volume_comes_back_slowly_after_a_loud_moment() -> None:
    limiter = Limiter()
    limiter.process(mix([(_tone(30_000), 2.0)]))
    gains = []
    for step in range(300):
        limiter.process(mix([(_tone(3000, step), 1.0)]))
        gains.append(limiter.gain)
    rises = np.diff(gains)
    assert rises.min() >= 0
    assert rises.max() < 0.01
    assert gains[-1] > 0.98


def test_a_ring_drops_the_oldest() -> None:
    ring = SampleRing(1000)
    ring.push(np.arange(800, dtype=np.int16))
    ring.push(np.arange(800, 1200, dtype=np.int16))
    assert ring.depth == 1000
    assert ring.dropped == 200
    pulled = ring.pull(900)
    assert pulled is not None
    assert np.array_equal(pulled, np.arange(200, 1100))
    assert ring.pull(480) is None


@pytest.mark.parametrize("size", [1, 441, 480, 900])
def test_a_ring_keeps_the_order_round_its_end(size: int) -> None:
    ring = SampleRing(1000)
    sent = np.arange(30_000, dtype=np.int16)
    got: list[Samples] = []
    for start in range(0, len(sent), size):
        ring.push(sent[start : start + size])
        while (pulled := ring.pull(100)) is not None:
            got.append(pulled)
    joined = np.concatenate(got)
    assert np.array_equal(joined, sent[: len(joined)])
    assert len(joined) > 28_900
