"""What other programs play is sent, and what we play is not: through PulseAudio, Qt, the engine."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from folkmoot.media.devices import system_sound
from folkmoot.media.devices.audio import AudioEngine
from folkmoot.media.devices.ring import STEP
from folkmoot.media.devices.system_sound import SystemSound
from integration.media.sound import WAIT_S, Player
from integration.media.system_sound_player import PlainEncoder, noise
from lab.sound import RATE, Samples, SoundSystem, chirp, find, match, repeated, sound_system

pytestmark = pytest.mark.needs("pulseaudio", "parec", "pactl")

CHIRP = chirp()
OTHER = chirp(60, 3000, 6000)
NOISE: Samples = (np.concatenate([noise(step) for step in range(100)]) / 32768).astype(np.float32)
LEAST_DB = -30.0


class Sharer:
    """The engine in a process of its own, and what it sent."""

    def __init__(self, system: SoundSystem, folder: Path) -> None:
        self.system = system
        self._sent = folder / "sent"
        paths = os.pathsep.join(str(Path(__file__).parents[3] / each) for each in ("app", "tests"))
        environment = os.environ | system.environment | {"PYTHONPATH": paths}
        environment.pop("DISPLAY", None)
        self.player = Player(environment, "system_sound_player.py", str(self._sent))

    def tell(self, word: str) -> None:
        """A command, until it is done."""
        self.player.tell(word)
        self.player.wait(lambda row: row == ["done", word])

    def sent(self, begin: int = 0) -> Samples:
        """All samples that were sent, from `begin` on."""
        data = self._sent.read_bytes()
        samples = np.frombuffer(data[: len(data) // 2 * 2], np.int16)[begin:]
        return (samples / 32768).astype(np.float32)

    def wait(self, until: Callable[[], bool], what: str) -> None:
        """Until something sent makes it true."""
        deadline = time.monotonic() + WAIT_S
        while not until():
            assert time.monotonic() < deadline, what
            time.sleep(0.02)

    def gather(self, seconds: float) -> Samples:
        """What is sent from now on for so long."""
        begin, count = len(self.sent()), int(seconds * RATE)
        self.wait(lambda: len(self.sent(begin)) >= count, "nothing is sent")
        return self.sent(begin)[:count]

    def hears_steadily(
        self, times: int, seconds: float, *sounds: Samples, least: float = 0.5
    ) -> Samples:
        """Wait for so long a time in which each is heard so often: a machine may stand still."""
        deadline = time.monotonic() + WAIT_S
        while True:
            sent = self.gather(seconds)
            heard = [len(find(sent, sound, least)) for sound in sounds]
            if min(heard) >= times:
                return sent
            assert time.monotonic() < deadline, f"it is sent with gaps: {heard}"

    def hears(self, sound: Samples) -> None:
        """Wait for a sound that is sent from now on."""
        begin = len(self.sent())
        self.wait(lambda: bool(find(self.sent(begin), sound)), "it is not sent")


@pytest.fixture
def system() -> Iterator[SoundSystem]:
    with sound_system(speakers=("speaker", "television")) as system:
        system.set_default("sink", "speaker")
        system.set_default("source", "microphone")
        yield system


@pytest.fixture
def sharer(system: SoundSystem, tmp_path: Path) -> Iterator[Sharer]:
    sharer = Sharer(system, tmp_path)
    yield sharer
    assert sharer.player.end() == (0, "")


def _loudest_db(samples: Samples, sound: Samples) -> float:
    return float(20 * np.log10(np.abs(match(samples, sound)).max() + 1e-9))


def _plays_noise(samples: Samples) -> bool:
    """Whether what we play is in it, loudly: a busy computer has gaps, so any 50 ms of it do."""
    pieces = np.split(NOISE, 20)
    return max(_loudest_db(samples, piece) for piece in pieces) > -8


def _chirps(sound: Samples = CHIRP, seconds: float = 60) -> Samples:
    return repeated(sound, int(seconds / 0.2), 0.2, 0.0)


def test_another_program_is_sent_and_we_are_not(sharer: Sharer) -> None:
    speaker = sharer.system.record("speaker.monitor")
    sharer.tell("share")
    sharer.system.play_on("speaker", _chirps())
    sharer.hears(CHIRP)
    sent = sharer.hears_steadily(10, 3, CHIRP)
    assert _plays_noise(speaker.end())
    assert _loudest_db(sent, NOISE) < LEAST_DB


@pytest.mark.long
def test_what_our_window_plays_is_ours_too(sharer: Sharer) -> None:
    ours = sharer.system.play_on("speaker", _chirps(), application_process_id=str(os.getpid()))
    sharer.tell("share")
    sharer.system.play_on("speaker", _chirps(OTHER))
    sharer.hears(OTHER)
    assert _loudest_db(sharer.gather(2), CHIRP) < -20
    assert ours.poll() is None


@pytest.mark.long
def test_our_sound_does_not_come_back_by_way_of_a_filter(
    system: SoundSystem, tmp_path: Path
) -> None:
    system.add_filter("equaliser", "speaker")
    system.set_default("sink", "equaliser")
    sharer = Sharer(system, tmp_path)
    speaker = system.record("speaker.monitor")
    sharer.tell("share")
    system.play_on("equaliser", _chirps())
    sharer.hears(CHIRP)
    sent = sharer.hears_steadily(10, 3, CHIRP)
    assert _plays_noise(speaker.end())
    assert _loudest_db(sent, NOISE) < LEAST_DB
    assert sharer.player.end() == (0, "")


@pytest.mark.long
def test_programs_come_and_go_and_leave_nothing(sharer: Sharer) -> None:
    sharer.tell("share")
    assert not sharer.gather(0.5).any()
    first = sharer.system.play_on("speaker", _chirps())
    sharer.hears(CHIRP)
    second = sharer.system.play_on("television", _chirps(OTHER))
    sharer.hears(OTHER)
    sharer.hears(CHIRP)
    first.kill()
    second.kill()
    sharer.wait(lambda: not sharer.gather(0.3).any(), "something stays")
    assert not sharer.gather(1).any()
    sharer.system.play_on("speaker", _chirps())
    sharer.hears(CHIRP)


@pytest.mark.long
def test_a_program_that_is_moved_to_another_speaker_is_still_heard(sharer: Sharer) -> None:
    sharer.tell("share")
    player = sharer.system.play_on("speaker", _chirps())
    sharer.hears(CHIRP)
    sharer.system.move(player, "television")
    sharer.gather(1)
    sharer.hears_steadily(6, 2, CHIRP)


@pytest.mark.long
def test_both_voice_and_system_sound_are_sent_and_only_the_voice_speaks(sharer: Sharer) -> None:
    voice, music = chirp(180), 0.5 * chirp(180, 3000, 6000)
    sharer.tell("open")
    sharer.tell("share")
    sharer.system.play_on("speaker", _chirps(music))
    sharer.hears(music)
    sharer.gather(2)
    assert sharer.player.told("speaks") == []
    # Into the microphone it is air, which no program plays.
    sharer.system.play("microphone", _chirps(voice), application_process_id=str(os.getpid()))
    sharer.player.wait(lambda row: row == ["speaks"])
    sharer.hears_steadily(6, 2, voice, music, least=0.3)


@pytest.mark.long
def test_who_closes_the_microphone_or_stops_sharing_sends_the_other_only(sharer: Sharer) -> None:
    sharer.tell("open")
    sharer.tell("share")
    sharer.system.play_on("speaker", _chirps(OTHER))
    sharer.system.play("microphone", _chirps(), application_process_id=str(os.getpid()))
    sharer.hears(CHIRP)
    sharer.hears(OTHER)
    sharer.tell("close")
    sent = sharer.hears_steadily(4, 1.5, OTHER)
    assert _loudest_db(sent, CHIRP) < -20
    sharer.tell("open")
    sharer.hears(CHIRP)
    sharer.tell("unshare")
    sent = sharer.hears_steadily(4, 1.5, CHIRP)
    assert _loudest_db(sent, OTHER) < -20


def test_nothing_is_recorded_while_nothing_is_shared(sharer: Sharer) -> None:
    sharer.system.play_on("speaker", _chirps())
    assert sharer.system.list_recordings() == []
    sharer.tell("share")
    sharer.hears(CHIRP)
    assert sharer.system.list_recordings() == ["Shared sound"]
    sharer.tell("unshare")
    begin = len(sharer.sent())
    sharer.wait(lambda: sharer.system.list_recordings() == [], "it is recorded still")
    assert len(sharer.sent(begin)) <= 2 * STEP  # one packet may have been on its way to the file


def _use(system: SoundSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have libpulse in this process find it."""
    for name, value in system.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(system_sound, "_known", None)


@pytest.mark.long
def test_a_sound_system_that_dies_stops_nothing(
    system: SoundSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(system, monkeypatch)
    sent: list[tuple[float, bool]] = []
    news = threading.Condition()

    def packet(payload: bytes, _stamp: int) -> None:
        with news:
            sent.append((time.monotonic(), any(payload)))
            news.notify_all()

    def wait(until: Callable[[], bool]) -> None:
        with news:
            assert news.wait_for(until, WAIT_S)

    engine = AudioEngine(
        packet=packet,
        levels=lambda _rows: None,
        fault=lambda _kind, _code, _words: None,
        use_devices=True,  # Qt does not run here, so there are no others
        encoder=PlainEncoder,
    )
    engine.start()
    try:
        engine.share(True)
        system.play_on("speaker", _chirps())
        wait(lambda: any(loud for _, loud in sent))
        system.signal(signal.SIGKILL)
        wait(lambda: not any(loud for _, loud in sent[-20:]))
        count = len(sent)
        wait(lambda: len(sent) >= count + 100)
        assert sent[count + 99][0] - sent[count][0] < 8  # they go on in their time: 2 s
        began = time.monotonic()
        for shares in (False, True, False):
            engine.share(shares)
    finally:
        engine.close()
    assert time.monotonic() - began < 5


@pytest.mark.long
def test_one_that_is_started_anew_is_heard_again_and_so_are_we(sharer: Sharer) -> None:
    sharer.tell("share")
    sharer.system.play_on("speaker", _chirps())
    sharer.hears(CHIRP)
    sharer.system.signal(signal.SIGKILL)
    # Qt looks for it once, three seconds later.
    sharer.system.begin_again()
    sharer.system.add_speaker("speaker")
    assert sharer.player.wait(lambda row: row[:2] == ["fault", "speaker"])[2] == "gone"
    sharer.player.wait(lambda row: row[:3] == ["fault", "speaker", ""])
    sharer.system.play_on("speaker", _chirps())
    sharer.hears(CHIRP)
    speaker = sharer.system.record("speaker.monitor")
    sent = sharer.gather(2)
    assert _plays_noise(speaker.end())
    assert _loudest_db(sent, NOISE) < LEAST_DB


@pytest.mark.long
def test_one_that_is_gone_ends_nobody(sharer: Sharer) -> None:
    sharer.tell("share")
    sharer.system.play_on("speaker", _chirps())
    sharer.hears(CHIRP)
    sharer.system.signal(signal.SIGKILL)
    assert sharer.player.wait(lambda row: row[0] == "fault")[1:3] == ["speaker", "gone"]
    # Until Qt knows, too, it may give the dead one once more.
    sharer.player.wait(lambda row: row[:3] == ["fault", "speaker", "none"])
    assert not sharer.gather(6)[RATE:].any()


def test_one_that_hangs_makes_nobody_wait(
    system: SoundSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(system, monkeypatch)
    sound = SystemSound()
    system.play_on("speaker", _chirps())
    sound.start()
    deadline = time.monotonic() + WAIT_S
    while sound.pull() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    system.signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        for _ in range(100):  # what waits is given, then nothing
            last = sound.pull()
        sound.stop()
        sound.start()
        sound.stop()
        assert last is None
        assert time.monotonic() - began < WAIT_S  # it hangs longer than that
        monkeypatch.setattr(system_sound, "_known", None)
        assert not system_sound.is_available()
    finally:
        system.signal(signal.SIGCONT)
    monkeypatch.setattr(system_sound, "_known", None)
    assert system_sound.is_available()
    deadline = time.monotonic() + WAIT_S
    while any(each.name == "system sound" for each in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_without_a_sound_system_it_is_not_available(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    monkeypatch.setattr(system_sound, "_known", None)
    assert not system_sound.is_available()
    sound = SystemSound()
    sound.start()
    assert sound.pull() is None
    sound.stop()
    monkeypatch.setattr(system_sound, "_known", None)
