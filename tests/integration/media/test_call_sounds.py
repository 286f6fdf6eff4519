"""The sounds of a call at a real sink: heard, and quieter than voices."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from folkmoot.media.devices import sounds
from integration.media.sound import Player
from lab.sound import RATE, Recording, Samples, SoundSystem, find, sound_system

pytestmark = pytest.mark.needs("pulseaudio", "pactl", "parec")


@pytest.fixture
def system() -> Iterator[SoundSystem]:
    with sound_system() as system:
        yield system


def _player(system: SoundSystem) -> Player:
    root = Path(__file__).parents[3]
    paths = os.pathsep.join(str(root / part) for part in ("app", "tests"))
    return Player(os.environ | system.environment | {"PYTHONPATH": paths})


def _begin_of(samples: NDArray[np.int16], seconds: float) -> Samples:
    begin: Samples = samples[: int(seconds * RATE)].astype(np.float32)
    begin /= 32768
    return begin


def _hear(player: Player, heard: Recording, sound: Samples, least: float) -> None:
    """Wait until a quarter of `sound` was heard: a busy machine leaves gaps in what it plays."""
    quarters = np.array_split(sound, 4)
    deadline = time.monotonic() + 40
    while not any(find(heard.samples(), quarter, least) for quarter in quarters):
        assert time.monotonic() < deadline, "it is not heard"
        player.wait(lambda row: row[0] == "packet")


def _plays(system: SoundSystem) -> bool:
    return bool(system._control("list", "short", "sink-inputs").stdout.strip())


def test_a_ring_is_heard_and_the_microphone_stays_closed(system: SoundSystem) -> None:
    player = _player(system)
    heard = system.record("speaker.monitor")
    player.tell("ring")
    player.wait(lambda row: row == ["done", "ring"])
    _hear(player, heard, _begin_of(sounds._tone("ring"), 0.25), 0.9)
    listed = system._control("list", "short", "source-outputs").stdout.splitlines()
    recordings = [line for line in listed if "module-remap-source" not in line]
    assert len(recordings) == 1, "that of this test"
    assert 0.1 < np.abs(heard.end()).max() < 0.3
    assert player.end() == (0, "")


def test_the_last_sound_is_heard_although_the_speaker_closes(system: SoundSystem) -> None:
    player = _player(system)
    player.tell("open")
    while not _plays(system):
        player.wait(lambda row: row[0] == "packet")
    heard = system.record("speaker.monitor")
    player.tell("over")
    _hear(player, heard, _begin_of(sounds._cue("ended"), 0.4), 0.8)
    while _plays(system):
        player.wait(lambda row: row[0] == "packet")
    assert player.end() == (0, "")
