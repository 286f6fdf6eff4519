"""Sound through real devices: a private PulseAudio, Qt, the engine, and back."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.media.devices.sound_devices import NONE_S
from integration.media.sound import Player, SoundSystem

pytestmark = pytest.mark.needs("pulseaudio", "pactl")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SoundSystem]:
    system = SoundSystem(tmp_path)
    yield system
    system.close()


def test_a_click_comes_back_soon(system: SoundSystem, capsys: pytest.CaptureFixture[str]) -> None:
    """From the mixer through Qt, the sink, its monitor and Qt again to the encoder."""
    player = Player(system.environ)
    player.tell("open")
    took = [float(player.wait(lambda row: row[0] == "latency")[1]) for _ in range(16)]
    code, noise = player.end()
    assert (code, noise) == (0, "")
    settled = statistics.median(took[6:])
    with capsys.disabled():
        print(f"\nclick through devices: {settled:.0f} ms, first {took[0]:.0f} ms")  # noqa: T201
    assert settled < 60


def test_muting_closes_the_microphone_itself(system: SoundSystem) -> None:
    player = Player(system.environ)
    player.tell("open")
    player.wait(lambda row: row[0] == "latency")
    assert len(system.list_recordings()) == 1
    player.tell("mute")
    player.wait(lambda row: row == ["done", "mute"])
    told: list[int] = []
    while len(told) < 4:
        told.append(int(player.wait(lambda row: row[0] == "packet")[1]))
    assert set(told) == {3}
    while system.list_recordings():  # Qt closes it in a thread of its own
        player.wait(lambda row: row[0] == "packet")
    player.tell("open")
    player.wait(lambda row: row[0] == "latency")
    assert player.end() == (0, "")


@pytest.mark.long
def test_unplugging_is_told_and_plugging_in_mends_it(system: SoundSystem) -> None:
    player = Player(system.environ)
    player.tell("open")
    player.wait(lambda row: row[0] == "latency")
    system.unplug()
    faults: set[str] = set()
    while len(faults) < 2:
        row = player.wait(lambda row: row[0] == "fault" and row[2] != "")
        assert row[2] in ("gone", "none")
        faults.add(row[1])
    assert faults == {"microphone", "speaker"}
    system.plug()
    mended: set[str] = set()
    while len(mended) < 2:
        mended.add(player.wait(lambda row: row[0] == "fault" and row[2] == "")[1])
    player.wait(lambda row: row[0] == "latency")
    assert player.end() == (0, "")


def test_without_a_sound_system_the_fault_is_clear_and_nothing_hangs(tmp_path: Path) -> None:
    environ = os.environ | {
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path),
        "PULSE_SERVER": f"unix:{tmp_path}/nobody",
        "PYTHONPATH": os.pathsep.join(
            str(Path(__file__).parents[3] / part) for part in ("app", "tests")
        ),
    }
    environ.pop("DISPLAY", None)
    player = Player(environ)
    began = time.monotonic()
    player.tell("open")
    told = [player.wait(lambda row: row[0] == "fault") for _ in range(2)]
    assert {(row[1], row[2]) for row in told} == {("microphone", "none"), ("speaker", "none")}
    assert time.monotonic() - began >= NONE_S  # one that is just starting would be there by now
    assert player.wait(lambda row: row[0] == "packet")[1] == 3
    code, noise = player.end()
    assert (code, noise) == (0, "")
