"""The clock of a recording stands still in a pause."""

from __future__ import annotations

from folkmoot.media.recording.clock import RecordingClock


def test_a_pause_takes_no_time() -> None:
    clock = RecordingClock(1_000)
    clock.pause(1_500)
    assert clock.now(9_000) == 500
    clock.resume(9_000)
    assert clock.now(9_200) == 700
    assert clock.at(9_100) == 600


def test_what_happened_in_a_pause_or_before_is_nowhere() -> None:
    clock = RecordingClock(1_000)
    assert clock.at(999) is None
    clock.pause(1_500)
    assert clock.at(1_400) is None
    clock.resume(2_000)
    assert clock.at(1_900) is None
    assert clock.at(2_000) == 500


def test_to_pause_or_go_on_twice_changes_nothing() -> None:
    clock = RecordingClock(0)
    clock.pause(100)
    clock.pause(200)
    clock.resume(300)
    clock.resume(400)
    assert clock.now(500) == 300
