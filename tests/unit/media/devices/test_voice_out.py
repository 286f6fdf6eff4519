"""What leaves: packets in a row, signs of life, and nothing recorded while the gate is shut."""

from __future__ import annotations

import numpy as np

from folkmoot.media.devices.ring import STEP, Samples
from folkmoot.media.devices.voice_out import (
    SILENCE,
    Encoder,
    VoiceOut,
    make_encoder,
    make_music_encoder,
)
from folkmoot.media.receive.opus import OpusDecoder

LOUD = np.full(STEP, 9000, np.int16)
QUIET = np.zeros(STEP, np.int16)


class PlainEncoder:
    """Gives the first sample of each half as text, and nothing worth sending for silence."""

    def __init__(self) -> None:
        self.loss: list[float] = []

    def encode(self, samples: Samples) -> bytes:
        assert len(samples) == 960
        return f"{samples[0]},{samples[480]}".encode() if samples.any() else b"\0"

    def set_loss(self, percent: float) -> None:
        self.loss.append(percent)


class Wire:
    """Keeps what left."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, int]] = []
        self.encoder = PlainEncoder()
        self.now = 100.0
        self.out = VoiceOut(self._take, lambda: self.encoder, clock=lambda: self.now)

    def _take(self, payload: bytes, stamp: int) -> None:
        self.sent.append((payload, stamp))

    def run(self, steps: int, samples: Samples | None = None) -> None:
        """So many steps of 10 ms."""
        for _ in range(steps):
            self.now += 0.01
            if samples is not None:
                self.out.take(samples)
            self.out.keep_alive(self.now)


def test_packets_follow_each_other_by_960_samples() -> None:
    wire = Wire()
    wire.out.open(True)
    wire.run(20, LOUD)
    stamps = [stamp for _, stamp in wire.sent]
    assert len(stamps) == 10
    assert set(np.diff(stamps)) == {960}
    assert {payload for payload, _ in wire.sent} == {b"9000,9000"}


def test_silence_is_told_three_times_a_second_at_least() -> None:
    wire = Wire()
    wire.out.open(True)
    wire.run(300, QUIET)
    assert {payload for payload, _ in wire.sent} == {b"\0"}
    assert 10 <= len(wire.sent) <= 12
    assert max(np.diff([stamp for _, stamp in wire.sent])) <= 0.3 * 48_000


def test_while_shut_only_made_silence_leaves() -> None:
    wire = Wire()
    wire.run(300, LOUD)
    assert {payload for payload, _ in wire.sent} == {SILENCE}
    stamps = [stamp for _, stamp in wire.sent]
    assert 10 <= len(stamps) <= 12
    assert max(np.diff(stamps)) <= 0.3 * 48_000


def test_half_a_packet_of_before_is_not_finished_after() -> None:
    wire = Wire()
    wire.out.open(True)
    wire.run(3, LOUD)
    wire.out.open(False)
    wire.out.open(True)
    wire.sent.clear()
    wire.run(2, np.full(STEP, 7, np.int16))
    assert [payload for payload, _ in wire.sent] == [b"7,7"]


def test_a_packet_that_was_being_encoded_when_the_gate_shut_stays() -> None:
    wire = Wire()
    wire.out.open(True)
    encode = wire.encoder.encode

    def encode_and_shut(samples: Samples) -> bytes:
        wire.out.open(False)
        return encode(samples)

    wire.encoder.encode = encode_and_shut  # type: ignore[method-assign]
    wire.run(2, LOUD)
    assert wire.sent == []


def test_time_goes_on_while_the_gate_is_shut() -> None:
    wire = Wire()
    wire.out.open(True)
    wire.run(2, LOUD)
    first = wire.sent[-1][1]
    wire.out.open(False)
    wire.run(500)
    wire.out.open(True)
    wire.run(2, LOUD)
    assert abs(wire.sent[-1][1] - first - 5.02 * 48_000) < 0.04 * 48_000


def test_the_timestamp_wraps() -> None:
    wire = Wire()
    wire.now += 2**32 / 48_000
    wire.out.open(True)
    wire.run(2, LOUD)
    assert 0 <= wire.sent[-1][1] < 48_000


def test_loss_reaches_the_encoder_once() -> None:
    wire = Wire()
    wire.out.open(True)
    wire.out.set_loss(12.4)
    wire.run(8, LOUD)
    assert wire.encoder.loss == [12]


MUSIC = np.full(STEP, 500, np.int16)


class Shared(Wire):
    """Keeps what left, and which encoder made it."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[str] = []
        self.out = VoiceOut(
            self._take,
            lambda: self._make("voice"),
            clock=lambda: self.now,
            make_music=lambda: self._make("music"),
        )

    def _make(self, kind: str) -> PlainEncoder:
        self.made.append(kind)
        return self.encoder

    def run_both(self, steps: int, voice: Samples | None, system: Samples | None) -> list[bytes]:
        """So many steps of 10 ms; what left."""
        self.sent.clear()
        for _ in range(steps):
            self.now += 0.01
            self.out.take(voice, system)
            self.out.keep_alive(self.now)
        return [payload for payload, _ in self.sent]


def test_voice_and_system_sound_are_added() -> None:
    wire = Shared()
    wire.out.open(True)
    wire.out.share(True)
    assert wire.run_both(2, LOUD, MUSIC) == [b"9500,9500"]
    assert wire.run_both(2, LOUD, None) == [b"9000,9000"]
    assert wire.run_both(2, None, MUSIC) == [b"500,500"]


def test_two_loud_sounds_are_turned_down_and_not_cut() -> None:
    wire = Shared()
    wire.out.open(True)
    wire.out.share(True)
    loud = np.round(28_000 * np.sin(np.arange(STEP) / 20)).astype(np.int16)
    kept: list[Samples] = []

    def encode(samples: Samples) -> bytes:
        kept.append(samples.copy())
        return b"whatever"

    wire.encoder.encode = encode  # type: ignore[method-assign]
    wire.run_both(20, loud, loud)
    assert 28_000 < np.abs(kept[-1].astype(np.int32)).max() < 32_767
    assert np.corrcoef(kept[-1][:STEP], loud)[0, 1] > 0.999


def test_each_gate_shuts_its_own_sound_only() -> None:
    wire = Shared()
    assert wire.run_both(4, LOUD, MUSIC) == []
    wire.out.share(True)
    assert wire.run_both(4, LOUD, MUSIC) == [b"500,500"] * 2
    wire.out.open(True)
    wire.out.share(False)
    assert wire.run_both(4, LOUD, MUSIC) == [b"9000,9000"] * 2
    assert wire.run_both(4, None, MUSIC) == []


def test_the_encoder_is_one_for_music_while_system_sound_is_shared() -> None:
    wire = Shared()
    wire.out.open(True)
    wire.out.set_loss(9)
    for shares in (False, True, True, False):
        wire.out.share(shares)
        wire.run_both(4, LOUD, None)
    assert wire.made == ["voice", "music", "voice"]
    assert wire.encoder.loss == [9, 9, 9]


def test_of_silence_only_the_end_of_a_sound_and_signs_of_life_are_sent() -> None:
    wire = Shared()
    wire.out.share(True)
    wire.encoder.encode = (  # type: ignore[method-assign]
        lambda samples: b"a sound" if samples.any() else SILENCE
    )
    assert wire.run_both(4, None, MUSIC) == [b"a sound"] * 2
    assert wire.run_both(20, None, None) == [SILENCE] * 3
    assert 3 <= len(wire.run_both(100, None, None)) <= 4
    assert wire.run_both(4, None, MUSIC) == [b"a sound"] * 2


def test_timestamps_go_on_through_silence() -> None:
    wire = Shared()
    wire.out.share(True)
    wire.run_both(4, None, MUSIC)
    first = wire.sent[-1][1]
    wire.run_both(50, None, None)
    wire.run_both(4, None, MUSIC)
    assert wire.sent[-1][1] - first == 54 * STEP


def test_opus_for_music_keeps_what_opus_for_speech_does_not() -> None:
    at = np.arange(50 * 960) / 48_000
    # A chord that no voice sings.
    chord = sum(np.sin(2 * np.pi * hertz * at) for hertz in (110, 1_760, 9_000, 13_000))
    sound = np.round(6_000 * chord).astype(np.int16)

    def fidelity(encoder: Encoder) -> float:
        decoder = OpusDecoder()
        out = np.concatenate(
            [
                decoder.decode(encoder.encode(sound[begin : begin + 960]))
                for begin in range(0, len(sound), 960)
            ]
        )
        # Opus has a delay of 312 samples (6.5 ms).
        said, heard = sound[24_000 : 24_000 + 9_600], out[24_312 : 24_312 + 9_600]
        return float(np.corrcoef(said, heard)[0, 1])

    assert fidelity(make_music_encoder()) > 0.99
    assert fidelity(make_music_encoder()) > fidelity(make_encoder())


def test_a_soft_passage_of_music_is_sent() -> None:
    encoder = make_music_encoder()
    chance = np.random.default_rng(1)
    hiss = chance.normal(0, 40, 200 * 960)
    loud = (8_000 * np.sin(np.arange(50 * 960) / 20)).astype(np.int16)
    for begin in range(0, len(loud), 960):
        encoder.encode(loud[begin : begin + 960])
    sizes = [
        len(encoder.encode(np.round(hiss[begin : begin + 960]).astype(np.int16)))
        for begin in range(0, len(hiss), 960)
    ]
    assert min(sizes) > len(SILENCE)
    assert len(encoder.encode(np.zeros(960, np.int16))) > 2
    assert len(encoder.encode(np.zeros(960, np.int16))) <= len(SILENCE)
