"""A whole talk with pauses, as our own encoder leaves them out, and a muted microphone."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
import pytest

from folkmoot.media.devices.ring import STEP
from folkmoot.media.devices.voice_out import VoiceOut
from folkmoot.media.receive.audio_buffer import AudioBuffer
from folkmoot.media.receive.opus import RATE, OpusDecoder, OpusEncoder

_WAY_S = 0.05


@dataclass
class _Talk:
    """Packets as `VoiceOut` sends them: (when, sequence, timestamp, payload)."""

    sent: list[tuple[float, int, int, bytes]] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        self._out = VoiceOut(self._packet, OpusEncoder, lambda: self.now)

    def say(self, seconds: float, *, words: bool, muted: bool = False) -> None:
        """Speech-like sound, or a room in which nobody speaks, or a muted microphone."""
        self._out.open(not muted)
        chance = np.random.default_rng(3)
        for _ in range(round(seconds * 100)):
            self.now += 0.01
            at = (self.now + np.arange(STEP) / RATE) * 2 * np.pi
            wave = np.sin(at * 200) * 6_000 * (0.5 + 0.4 * np.sin(at * 4)) if words else 0.0
            if not muted:
                self._out.take((wave + chance.normal(0, 2, STEP)).astype(np.int16))
            self._out.keep_alive(self.now)

    def _packet(self, payload: bytes, stamp: int) -> None:
        self.sent.append((self.now, len(self.sent) + 65_400 & 0xFFFF, stamp, payload))


@dataclass
class _Heard:
    buffer: AudioBuffer
    lost: int
    loudness: list[float]
    delays: list[float]


def _hear(
    talk: _Talk, *, loss: float = 0.0, jitter_s: float = 0.0, bad: tuple[float, float] = (0, 1e9)
) -> _Heard:
    """Play it over a way that is poor in the seconds `bad`."""
    chance, buffer, lost = random.Random(4), AudioBuffer(OpusDecoder()), 0
    arrivals = []
    for at, sequence, stamp, payload in talk.sent:
        is_bad = bad[0] <= at < bad[1]
        came = at + _WAY_S + (chance.random() * jitter_s if is_bad else 0.0)
        if is_bad and chance.random() < loss:
            lost += 1
            continue
        arrivals.append((came, sequence, stamp, payload))
    arrivals.sort(key=lambda arrival: arrival[0])
    loudness, delays, place = [], [], 0
    for step in range(round(talk.now * 100)):
        now = step / 100 + 0.003
        while place < len(arrivals) and arrivals[place][0] <= now:
            came, sequence, stamp, payload = arrivals[place]
            buffer.push(sequence, stamp, payload, came)
            place += 1
        samples = buffer.pull(now)
        loudness.append(0.0 if samples is None else float(np.abs(samples.astype(float)).mean()))
        delays.append(buffer.counters.delay_ms)
    return _Heard(buffer, lost, loudness, delays)


@pytest.fixture(scope="module")
def talk() -> _Talk:
    made = _Talk()
    for _ in range(6):
        made.say(1.2, words=True)
        made.say(1.8, words=False)
    return made


def test_pauses_of_a_talk_are_not_sent_and_not_concealed(talk: _Talk) -> None:
    assert len(talk.sent) < talk.now * 50 * 0.75
    heard = _hear(talk)
    assert heard.buffer.counters.concealed_ms == 0
    assert heard.buffer.counters.fec_ms == 0
    # Every word is heard, and each pause is one.
    for number in range(6):
        begin = round((number * 3 + _WAY_S + 0.3) * 100)
        assert np.mean(heard.loudness[begin : begin + 80]) > 1_000
        assert np.mean(heard.loudness[begin + 150 : begin + 240]) < 60


def test_jitter_makes_no_silence_a_loss(talk: _Talk) -> None:
    assert _hear(talk, jitter_s=0.02).buffer.counters.concealed_ms <= 40


def test_what_is_lost_of_a_talk_counts_and_its_pauses_do_not(talk: _Talk) -> None:
    heard = _hear(talk, loss=0.05)
    made_up = heard.buffer.counters.concealed_ms + heard.buffer.counters.fec_ms
    assert heard.lost > 15
    assert 0.5 * heard.lost * 20 <= made_up <= 1.2 * heard.lost * 20


def test_a_muted_microphone_conceals_nothing() -> None:
    talk = _Talk()
    talk.say(1, words=True)
    talk.say(10, words=False, muted=True)
    talk.say(1, words=True)
    pauses = [b[0] - a[0] for a, b in zip(talk.sent, talk.sent[1:], strict=False)]
    assert 0.25 < max(pauses) < 0.31
    heard = _hear(talk)
    assert heard.buffer.counters.concealed_ms == 0
    assert np.mean(heard.loudness[-80:-20]) > 1_000


def test_signs_of_life_that_get_lost_count_as_what_they_are() -> None:
    talk = _Talk()
    talk.say(30, words=False, muted=True)
    heard = _hear(talk, loss=0.2)
    made_up = heard.buffer.counters.concealed_ms + heard.buffer.counters.fec_ms
    assert heard.lost > 10
    assert 0 < made_up <= heard.lost * 20


def test_a_cut_counts_as_long_as_it_was_once_it_is_over() -> None:
    talk = _Talk()
    talk.say(6, words=True)
    del talk.sent[100:150]  # a second
    heard = _hear(talk)
    assert heard.buffer.counters.concealed_ms == pytest.approx(1_000, abs=60)


def test_the_delay_is_told_through_silence(talk: _Talk) -> None:
    heard = _hear(talk)
    assert min(heard.delays[50:]) >= 5
    assert max(heard.delays[50:]) <= 60


def test_after_the_loss_the_voice_is_as_soon_as_before() -> None:
    talk = _Talk()
    talk.say(30, words=True)
    heard = _hear(talk, loss=0.05, jitter_s=0.1, bad=(5, 15))
    before = np.mean(heard.delays[200:500])
    assert np.mean(heard.delays[1_000:1_500]) > 2 * before
    assert np.mean(heard.delays[2_500:]) <= 1.3 * before


def test_what_is_heard_is_told_with_its_timestamp() -> None:
    talk = _Talk()
    talk.say(3, words=True)
    buffer = _hear(talk).buffer
    assert buffer.heard is not None
    stamp, at = buffer.heard
    behind = at - _WAY_S - stamp / RATE
    # The timestamp is of when a packet was whole; then it waits in the buffer.
    assert behind == pytest.approx(buffer.counters.delay_ms / 1000, abs=0.015)
