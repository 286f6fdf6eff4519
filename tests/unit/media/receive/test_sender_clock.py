"""Pictures are put where the sound is that was made with them, whatever encoding them took."""

from __future__ import annotations

import pytest

from folkmoot.media.receive.sync import LipSync, SenderClock

NTP = 3_900_000_000
SOUND, PICTURE = 4_294_960_000, 77_000
"""RTP timestamps of second 0 of the sender's clock."""


def _clock() -> SenderClock:
    lips = LipSync()
    lips.report("audio", NTP << 32, SOUND)
    lips.report("video", NTP << 32, PICTURE)
    return SenderClock(lips)


def _voice(clock: SenderClock, second: float, at_s: float) -> None:
    clock.voice((SOUND + round(second * 48_000)) & 0xFFFFFFFF, at_s)


def _picture(clock: SenderClock, second: float, came_s: float) -> float:
    return clock.picture_s((PICTURE + round(second * 90_000)) & 0xFFFFFFFF, came_s)


@pytest.mark.parametrize("late_s", [0.0, 0.03, 0.2])
def test_a_picture_belongs_where_the_sound_of_that_moment_is(late_s: float) -> None:
    clock = _clock()
    _voice(clock, 1.0, 501.0)
    assert _picture(clock, 1.5, 501.5 + late_s) == pytest.approx(501.5, abs=1e-4)


def test_without_a_voice_or_its_reports_it_belongs_where_it_came() -> None:
    assert _picture(_clock(), 1.5, 501.53) == 501.53
    silent = SenderClock(LipSync())
    _voice(silent, 1.0, 501.0)
    assert _picture(silent, 1.5, 501.53) == 501.53


@pytest.mark.parametrize("second", [0.5, 3.0, 59.0])
def test_what_a_sender_says_is_not_believed_beyond_reason(second: float) -> None:
    clock = _clock()
    _voice(clock, 1.0, 501.0)
    assert _picture(clock, second, 501.5) == 501.5


def test_a_voice_that_is_told_unevenly_is_smoothed_and_a_jump_is_followed() -> None:
    clock = _clock()
    for turn in range(200):
        _voice(clock, turn / 10, 500 + turn / 10 + (0.01 if turn % 2 else -0.01))
    assert _picture(clock, 20.0, 520.03) == pytest.approx(520.0, abs=0.003)
    _voice(clock, 20.0, 521.0)
    assert _picture(clock, 20.5, 521.53) == pytest.approx(521.5, abs=1e-4)
