"""The playout buffer of a voice, over a network made of numbers."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.media.receive.audio_buffer import PULL, AudioBuffer
from folkmoot.media.receive.opus import FRAME_SAMPLES, RATE, OpusDecoder, OpusEncoder

Arrival = tuple[float, int, bytes]


@pytest.fixture(scope="module")
def packets() -> list[bytes]:
    encoder = OpusEncoder(fec=True, dtx=False)
    encoder.set_loss(5)
    time = np.arange(FRAME_SAMPLES * 1_000) / RATE
    wave = np.sin(2 * np.pi * 220 * time) * 6_000 * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time))
    frames = wave.astype(np.int16).reshape(-1, FRAME_SAMPLES)
    made = [encoder.encode(frame) for frame in frames]
    encoder.close()
    return made


def _network(
    packets: list[bytes], loss: float, jitter_s: float, stall: tuple[float, float] = (0, 0)
) -> tuple[list[Arrival], int]:
    chance, lost = random.Random(7), 0
    arrivals: list[Arrival] = []
    for number, payload in enumerate(packets):
        at = number * 0.02 + 0.05 + chance.random() * jitter_s
        if chance.random() < loss:
            lost += 1
            continue
        if stall[0] <= at < stall[1]:
            at = stall[1]
        arrivals.append((at, number, payload))
    return sorted(arrivals), lost


def _play(buffer: AudioBuffer, arrivals: list[Arrival], seconds: float) -> Iterator[float]:
    """Play, and yield the delay after each second. Both counters wrap around on the way."""
    at = 0
    for step in range(int(seconds * 100)):
        now = step * 0.01
        while at < len(arrivals) and arrivals[at][0] <= now:
            came, number, payload = arrivals[at]
            stamp = (number * FRAME_SAMPLES - 96_000) & 0xFFFFFFFF
            buffer.push((number + 65_500) & 0xFFFF, stamp, payload, came)
            at += 1
        samples = buffer.pull(now)
        assert samples is None or samples.shape == (PULL,)
        if step % 100 == 99:
            yield buffer.counters.delay_ms


def test_a_perfect_network_costs_20_ms_and_conceals_nothing(packets: list[bytes]) -> None:
    buffer = AudioBuffer(OpusDecoder())
    arrivals, _ = _network(packets, 0, 0)
    delays = list(_play(buffer, arrivals, 19))
    assert max(delays) <= 31
    assert buffer.counters.concealed_ms == 0


def test_at_5_percent_loss_no_more_than_the_lost_is_made_up(packets: list[bytes]) -> None:
    buffer = AudioBuffer(OpusDecoder())
    arrivals, lost = _network(packets, 0.05, 0.02)
    list(_play(buffer, arrivals, 19))
    made_up = buffer.counters.concealed_ms + buffer.counters.fec_ms
    assert made_up <= 1.2 * lost * 20
    assert buffer.counters.fec_ms > 0.3 * lost * 20


def test_at_20_percent_loss_no_more_than_the_lost_is_made_up(packets: list[bytes]) -> None:
    buffer = AudioBuffer(OpusDecoder())
    arrivals, lost = _network(packets, 0.2, 0.02)
    list(_play(buffer, arrivals, 19))
    assert buffer.counters.concealed_ms + buffer.counters.fec_ms <= 1.2 * lost * 20


def test_the_delay_is_back_within_ten_seconds_of_a_stall(packets: list[bytes]) -> None:
    buffer = AudioBuffer(OpusDecoder())
    arrivals, _ = _network(packets, 0, 0.01, stall=(5.0, 5.5))
    delays = list(_play(buffer, arrivals, 19))
    assert max(delays) > 100
    assert delays[15] <= 1.3 * delays[3]


def test_nothing_is_played_before_something_came() -> None:
    assert AudioBuffer(OpusDecoder()).pull(1.0) is None


_packet = st.tuples(
    st.integers(0, 65_535), st.integers(0, (1 << 32) - 1), st.binary(max_size=80), st.booleans()
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_packet, max_size=120))
def test_nonsense_never_raises_and_never_grows(
    nonsense: list[tuple[int, int, bytes, bool]],
) -> None:
    buffer, now = AudioBuffer(OpusDecoder()), 0.0
    for number, (sequence, stamp, payload, near) in enumerate(nonsense):
        now += 0.005
        if near:
            sequence, stamp = number + sequence % 5, number * 960 + stamp % 5_000
        buffer.push(sequence, stamp, payload, now)
        samples = buffer.pull(now)
        assert samples is None or samples.shape == (PULL,)
        assert len(buffer._packets) <= 400
        assert len(buffer._out) <= 20_000
