"""The sound system of the tests: what is said into a microphone comes out where it should."""

from __future__ import annotations

import statistics
import subprocess
from typing import Any

import pytest

from lab.sound import chirp, repeated, sound_system

pytestmark = [
    pytest.mark.long,
    pytest.mark.needs("pulseaudio", "pactl", "parec", "pacat"),
    pytest.mark.timeout(60),
]


def test_what_is_said_into_a_microphone_is_heard_from_it_and_timed() -> None:
    sound = chirp()
    with sound_system() as system:
        air, heard = system.record("microphone_air.monitor"), system.record("microphone")
        silent = system.record("speaker.monitor")
        assert system.play("microphone", repeated(sound, 4, 0.3)).wait(20) == 0
        for each in (air, heard, silent):
            each.end()
        said, got = air.times(sound), heard.times(sound)
        assert len(said) == len(got) == 4
        assert abs(statistics.median(b - a for a, b in zip(said, got, strict=True))) < 0.01
        assert silent.times(sound) == []


def test_a_microphone_hears_a_speaker_later_and_quieter() -> None:
    sound = chirp()
    with sound_system(microphones=("microphone", "other")) as system:
        # What is said into the other microphone comes out of the speaker.
        system._load("module-loopback", "source=other", "sink=speaker", "latency_msec=20")
        system.couple("speaker", "microphone", 80, -8)
        out, back = system.record("speaker.monitor"), system.record("microphone")
        assert system.play("other", repeated(sound, 6, 0.3, lead_s=1.0)).wait(20) == 0
        samples = out.end(), back.end()
        pairs = zip(out.times(sound)[-3:], back.times(sound)[-3:], strict=True)
        assert statistics.median(b - a for a, b in pairs) == pytest.approx(0.08, abs=0.03)
        assert max(samples[1]) / max(samples[0]) == pytest.approx(10 ** (-8 / 20), rel=0.15)


def test_a_device_is_unplugged() -> None:
    with sound_system(microphones=("microphone", "headset")) as system:
        listed = _sources(system.environment)
        assert {"microphone", "headset"} <= listed
        system.remove("headset")
        assert listed - _sources(system.environment) == {"headset", "headset_air.monitor"}


def _sources(environment: dict[str, Any]) -> set[str]:
    done = subprocess.run(
        ["pactl", "list", "short", "sources"],
        capture_output=True,
        text=True,
        check=True,
        env=environment | {"PATH": "/usr/bin:/bin"},
    )
    return {line.split("\t")[1] for line in done.stdout.splitlines()}
