"""A chosen device is unplugged while another is left: told in words, and used again later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.media.sound import Player
from lab.sound import SoundSystem, sound_system

pytestmark = [pytest.mark.needs("pulseaudio", "pactl"), pytest.mark.timeout(90)]


@pytest.fixture
def system() -> Iterator[SoundSystem]:
    with sound_system(speakers=("speaker", "headset"), microphones=("microphone", "headmic")) as it:
        yield it


@pytest.mark.parametrize(
    ("kind", "device", "left"),
    [("microphone", "headmic", "microphone"), ("speaker", "headset", "speaker")],
)
def test_the_other_one_is_used_and_named(
    system: SoundSystem, kind: str, device: str, left: str
) -> None:
    root = Path(__file__).parents[3]
    paths = os.pathsep.join(str(root / part) for part in ("app", "tests"))
    player = Player(os.environ | system.environment | {"PYTHONPATH": paths})
    player.tell("chosen")
    opened = "source-outputs" if kind == "microphone" else "sink-inputs"
    while "protocol-native" not in system._control("list", "short", opened).stdout:
        player.wait(lambda row: row[0] == "packet")
    system.remove(device)
    # Where the machine stood still, Qt lists it still: then it cannot be opened for a moment.
    told = player.wait(lambda row: row[:2] == ["fault", kind] and row[2] != "busy")
    assert told[2:] == ["gone", f"The {kind} {device} is gone. {left} is used instead."]
    if kind == "microphone":
        system.add_microphone(device)
    else:
        system.add_speaker(device)
    told = player.wait(lambda row: row[:2] == ["fault", kind] and row[2] != "busy")
    assert told[2:] == ["", ""]
    assert player.end() == (0, "")
