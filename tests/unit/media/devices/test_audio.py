"""The engine without devices: who is heard, what leaves, and when nothing may."""

from __future__ import annotations

import itertools
import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from folkmoot.media.devices import audio
from folkmoot.media.devices.audio import AudioEngine
from folkmoot.media.devices.ring import RATE, STEP, Samples
from folkmoot.media.devices.voice_out import SILENCE
from folkmoot.services.media_port import SELF, AudioPlan

WAIT_S = 30.0


class PlainEncoder:
    """The samples themselves, and a DTX packet for silence."""

    def encode(self, samples: Samples) -> bytes:
        return samples.tobytes() if samples.any() else b"\0"

    def set_loss(self, percent: float) -> None:
        pass


class Heard:
    """What an engine told, with waiting."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.packets: list[tuple[bytes, int]] = []
        self.levels: list[list[tuple[bytes, float, bool]]] = []
        self.faults: list[tuple[str, str]] = []
        self.recorded: list[tuple[bytes, int, int, int]] = []
        """Peer, loudness, when it was said, and when it was recorded."""
        self.encoder: Callable[[], PlainEncoder] = PlainEncoder
        self.engine = AudioEngine(
            packet=lambda payload, stamp: self._add(self.packets, (payload, stamp)),
            levels=lambda rows: self._add(self.levels, rows),
            fault=lambda kind, code, _words: self._add(self.faults, (kind, code)),
            use_devices=False,
            encoder=lambda: self.encoder(),
            record=lambda peer, samples, at_ns, _stream: self._add(
                self.recorded, (peer, int(np.abs(samples).max()), at_ns, time.monotonic_ns())
            ),
        )

    def _add(self, where: list, what: object) -> None:  # type: ignore[type-arg]
        with self._changed:
            where.append(what)
            self._changed.notify_all()

    def wait(self, until: Callable[[], bool]) -> bool:
        """Wait until something told makes it true."""
        with self._changed:
            return self._changed.wait_for(until, WAIT_S)

    def loud(self) -> list[bytes]:
        """Packets that hold recorded or generated sound."""
        return [payload for payload, _ in list(self.packets) if len(payload) > 3]

    def row(self, count: int) -> list[tuple[bytes, int]] | None:
        """So many of these in a row, if there are: a sign of life comes after a standstill."""
        packets = list(self.packets)
        breaks = [-1, *(at for at, each in enumerate(packets) if len(each[0]) <= 3), len(packets)]
        begins = [one + 1 for one, other in itertools.pairwise(breaks) if other - one > count]
        return packets[begins[0] :][:count] if begins else None


@pytest.fixture
def heard() -> Iterator[Heard]:
    heard = Heard()
    heard.engine.start()
    yield heard
    heard.engine.close()


class Tone:
    """A voice that says a loud tone, so many steps long."""

    delay_s = 0.0

    def __init__(self, steps: int) -> None:
        self.left = steps

    def pull(self) -> Samples | None:
        if self.left <= 0:
            return None
        self.left -= 1
        return np.asarray(np.rint(np.sin(np.arange(STEP) / 20) * 12_000), np.int16)


def test_the_test_sound_leaves_in_packets_of_20_ms(heard: Heard) -> None:
    heard.engine.set_plan(AudioPlan(source="test", open=True))
    assert heard.wait(lambda: heard.row(30) is not None)
    pairs = heard.row(30)
    assert pairs is not None
    assert set(np.diff([stamp for _, stamp in pairs])) == {960}
    sound = np.frombuffer(b"".join(payload for payload, _ in pairs), np.int16)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert abs(np.argmax(spectrum) * RATE / len(sound) - 440) < 5


def test_nothing_but_made_silence_leaves_once_the_plan_is_closed(heard: Heard) -> None:
    heard.engine.set_plan(AudioPlan(source="test", open=True))
    assert heard.wait(lambda: len(heard.loud()) >= 5)
    heard.engine.set_plan(AudioPlan(source="test", open=False))
    before = len(heard.packets)
    assert heard.wait(lambda: len(heard.packets) >= before + 3)
    assert {payload for payload, _ in heard.packets[before:]} == {SILENCE}


def test_a_packet_in_the_encoder_stays_when_the_plan_closes() -> None:
    """The plan closes while 20 ms are being encoded: they must not leave any more."""
    heard = Heard()
    closed = threading.Event()

    class ClosingEncoder(PlainEncoder):
        def encode(self, samples: Samples) -> bytes:
            heard.engine.set_plan(AudioPlan(source="test", open=False))
            closed.set()
            return super().encode(samples)

    heard.encoder = ClosingEncoder
    heard.engine.start()
    heard.engine.set_plan(AudioPlan(source="test", open=True))
    assert closed.wait(WAIT_S)
    before = len(heard.packets)
    assert heard.wait(lambda: len(heard.packets) >= before + 2)
    assert heard.loud() == []
    heard.engine.close()


def test_a_path_is_kept_alive_from_the_start(heard: Heard) -> None:
    assert heard.wait(lambda: len(heard.packets) >= 6)
    stamps = [stamp for _, stamp in heard.packets]
    assert np.median(np.diff(stamps)) <= 0.3 * RATE  # but for one that was late
    assert {payload for payload, _ in heard.packets} == {SILENCE}


def test_a_speaker_is_told_and_put_out_at_the_end(heard: Heard) -> None:
    heard.engine.add_voice(b"anna", Tone(60))
    assert heard.wait(
        lambda: any((row[0], row[2]) == (b"anna", True) for rows in heard.levels for row in rows)
    )
    assert heard.wait(
        lambda: (
            heard.levels[-1] == [(SELF, 0.0, False), (b"anna", 0.0, False)]
            or not any(row[1] > 0.02 or row[2] for row in heard.levels[-1])
        )
    )
    told = len(heard.levels)
    before = len(heard.packets)
    assert heard.wait(lambda: len(heard.packets) >= before + 2)  # half a second later
    assert len(heard.levels) == told


def test_the_newer_of_two_streams_of_a_peer_stays(heard: Heard) -> None:
    old, new = Tone(10_000), Tone(10_000)
    heard.engine.add_voice(b"anna", old)
    heard.engine.add_voice(b"anna", new)
    heard.engine.remove_voice(b"anna", old)
    heard.engine.remove_voice(b"anna", old)
    assert heard.wait(lambda: bool(heard.levels))
    left = old.left
    count = len(heard.levels)
    assert heard.wait(lambda: len(heard.levels) >= count + 2)
    assert old.left == left
    assert new.left < 10_000


def test_a_file_is_played_again_and_again(heard: Heard, tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    samples = np.rint(np.sin(np.arange(2400) / 10) * 9000).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(np.repeat(samples, 2).tobytes())
    heard.engine.set_plan(AudioPlan(source="file", source_id=str(path), open=True))
    assert heard.wait(lambda: len(heard.loud()) >= 20)  # 0.4 s of a file of 0.1 s
    assert heard.faults == []


@pytest.mark.parametrize("content", [None, b"", b"no sound at all" * 100])
def test_a_file_that_cannot_be_played_is_a_fault_until_it_can(
    heard: Heard, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "sound.wav"
    if content is not None:
        path.write_bytes(content)
    heard.engine.set_plan(AudioPlan(source="file", source_id=str(path), open=True))
    assert heard.wait(lambda: heard.faults == [("microphone", "file")])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.full(RATE, 5000, np.int16).tobytes())
    assert heard.wait(lambda: heard.faults == [("microphone", "file"), ("microphone", "")])
    assert heard.wait(lambda: len(heard.loud()) > 0)


def test_without_devices_a_microphone_is_a_clear_fault(heard: Heard) -> None:
    heard.engine.set_plan(AudioPlan(source="device", open=True, sink="device"))
    assert heard.wait(lambda: ("microphone", "none") in heard.faults)
    assert heard.wait(lambda: len(heard.packets) >= 2)


def test_closing_ends_the_thread() -> None:
    heard = Heard()
    heard.engine.start()
    heard.engine.set_plan(AudioPlan(source="test", open=True))
    assert heard.wait(lambda: len(heard.loud()) > 0)
    thread = heard.engine._thread
    assert thread is not None
    heard.engine.close()
    thread.join(WAIT_S)
    assert not thread.is_alive()


def test_everybody_is_recorded_before_volumes_and_in_steps_of_ten_milliseconds(
    heard: Heard,
) -> None:
    heard.engine.set_volume(b"ann", 0.0)
    heard.engine.set_plan(AudioPlan(source="test", open=True))
    began = time.monotonic_ns()
    heard.engine.add_voice(b"ann", Tone(30), lambda: None)

    def of(peer: bytes) -> list[tuple[bytes, int, int, int]]:
        return [each for each in list(heard.recorded) if each[0] == peer]

    assert heard.wait(lambda: len(of(b"ann")) == 30 and len(of(SELF)) >= 30)
    assert min(loud for _, loud, _, _ in of(b"ann")) > 10_000
    times = np.array([at for _, _, at, _ in of(b"ann")])
    recorded = np.array([at for _, _, _, at in of(b"ann")])
    # A packet of 20 ms came when its last sample had been said.
    assert times[0] - began > -130_000_000  # a step may be made up for
    assert min(recorded - times) >= 20_000_000
    assert np.median(recorded - times) < 100_000_000
    assert np.median(np.diff(times)) == pytest.approx(10_000_000, abs=300_000)


class Computer:
    """Instead of `SystemSound`: while it is recorded, it plays."""

    delay_s = 0.02

    def __init__(self) -> None:
        self.runs = False

    def start(self) -> None:
        self.runs = True

    def stop(self) -> None:
        self.runs = False

    def pull(self) -> Samples | None:
        return np.full(STEP, 777, np.int16) if self.runs else None


def test_system_sound_is_sent_and_recorded_while_it_is_shared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audio, "SystemSound", Computer)
    changed = threading.Condition()
    sent: list[bytes] = []
    recorded: list[tuple[bytes, int, int]] = []

    def packet(payload: bytes, _stamp: int) -> None:
        with changed:
            sent.append(payload)
            changed.notify_all()

    engine = AudioEngine(
        packet=packet,
        levels=lambda _rows: None,
        fault=lambda _kind, _code, _words: None,
        use_devices=True,  # without Qt there is none
        encoder=PlainEncoder,
        record=lambda peer, samples, _at, stream: recorded.append((peer, int(samples[0]), stream)),
    )
    assert engine.voice_level is None
    engine.share(True)
    engine.start()
    with changed:
        assert changed.wait_for(lambda: sum(len(each) > 3 for each in sent) >= 5, WAIT_S)
    assert engine.voice_level == 127
    assert set(recorded) == {(SELF, 777, 1)}
    engine.share(False)
    shared = sum(len(each) > 3 for each in sent)
    assert shared >= 5
    with changed:
        assert changed.wait_for(lambda: sent[-1] == SILENCE, WAIT_S)
    assert sum(len(each) > 3 for each in sent) == shared
    assert engine.voice_level is None
    engine.close()
