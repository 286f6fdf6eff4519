"""A recording on a clock that the test moves: in step after an hour, pauses, people who come."""

from __future__ import annotations

import numpy as np
import pytest

from folkmoot.media.devices.ring import RATE, STEP, Samples
from folkmoot.media.recording.clock import SECOND
from folkmoot.media.recording.recording import STILL_NS, Recording
from folkmoot.media.recording.words import Words
from folkmoot.services.media_port import CAMERA, SCREEN, SELF, RecordPlace, RecordPlan
from lab.recorded_hour import ANN, BEGAN, FPS, LOUD, PLAN, SILENCE, Kept, begins, offsets, plain

BEN = b"b" * 32
DARK, BRIGHT = plain(20), plain(230)


class Session:
    """A recording, its output, and the monotonic clock."""

    def __init__(self, plan: RecordPlan = PLAN) -> None:
        self.output = Kept()
        self.recording = Recording(plan, self.output, BEGAN, Words(lambda _: False))
        self.now = BEGAN

    def run(self, seconds: float, *voices: bytes, sound: Samples = LOUD) -> None:
        """Let time pass; these say something all the while."""
        for _ in range(round(seconds * 100)):
            for voice in voices:
                self.recording.take_sound((voice, 0), sound, self.now)
            self.now += SECOND // 100
            if (self.now - BEGAN) % (SECOND // 100 * 3) == 0:
                self.recording.advance(self.now)

    def end(self) -> Kept:
        self.recording.finish(self.now)
        return self.output


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("ppm", [-200.0, 200.0])
def test_sound_and_picture_are_in_step_at_the_end_of_an_hour(ppm: float) -> None:
    apart = offsets(60, ppm, 4_000_000)
    assert max(map(abs, apart)) <= 40
    assert max(map(abs, apart[-12:])) <= 40


def test_sound_and_picture_are_in_step_after_two_minutes() -> None:
    assert max(map(abs, offsets(2, 500.0, 4_000_000))) <= 40


def test_a_recording_is_as_long_as_its_sound() -> None:
    session = Session()
    session.run(3.0, ANN)
    kept = session.end()
    assert len(kept.heard(0)) / RATE == pytest.approx(3.0, abs=0.03)
    assert kept.over


def test_everybody_is_in_the_mixed_sound_and_never_too_loud() -> None:
    session = Session()
    session.run(1.0, ANN)
    session.run(1.0, ANN, BEN)
    session.run(1.0, *(bytes([each]) for each in range(25)), sound=np.full(STEP, 32_000, np.int16))
    heard = session.end().heard(0)
    one, two = (float(np.median(heard[at : at + RATE // 2])) for at in (RATE // 4, RATE * 5 // 4))
    assert two == pytest.approx(2 * one, rel=0.02)
    assert np.abs(heard).max() <= 1.0
    assert np.median(np.abs(heard[RATE * 5 // 2 :])) > 0.5


def test_nothing_of_a_pause_is_recorded_and_no_time_passes() -> None:
    session = Session()
    session.run(1.0, ANN)
    session.recording.pause(session.now)
    session.recording.take_picture((ANN, CAMERA), BRIGHT, session.now + SECOND)
    session.run(5.0, BEN)
    session.recording.resume(session.now)
    session.run(1.0, sound=SILENCE)
    assert session.recording.length_ns(session.now) == 2 * SECOND
    kept = session.end()
    heard = kept.heard(0)
    assert len(heard) / RATE == pytest.approx(2.0, abs=0.03)
    assert (heard[RATE // 10 : RATE * 9 // 10] > 0.2).all()
    assert not heard[RATE + STEP :].any()
    assert all(luma < 150 for _, _, luma in kept.pictures)


def test_what_stands_still_is_written_twice_a_second() -> None:
    session = Session()
    session.recording.take_picture((ANN, CAMERA), BRIGHT, session.now)
    session.run(2.5)
    times = [at for _, at, _ in session.end().pictures]
    assert 5 <= len(times) <= 8
    assert max(np.diff(times)) <= STILL_NS + SECOND // FPS


def test_a_camera_that_stops_leaves_an_empty_place_and_a_screen_stays() -> None:
    places = (
        RecordPlace(ANN, CAMERA, 0, 0, 32, 32, "Ann"),
        RecordPlace(BEN, SCREEN, 0, 0, 32, 32, "Ben"),
    )
    for key, stays in (((ANN, CAMERA), False), ((BEN, SCREEN), True)):
        one = tuple(place for place in places if place.peer == key[0])
        session = Session(RecordPlan("x.mkv", 32, 32, FPS, places=one))
        session.recording.take_picture(key, BRIGHT, session.now)
        session.run(5.0)
        assert (session.end().pictures[-1][2] > 150) is stays


def test_a_thread_that_was_held_up_for_long_loses_no_sound() -> None:
    session = Session()
    for _ in range(1_500):
        session.recording.take_sound((ANN, 0), LOUD, session.now)
        session.now += SECOND // 100
    session.recording.advance(session.now)
    heard = session.end().heard(0)
    assert len(heard) / RATE == pytest.approx(15.0, abs=0.03)
    assert (heard[STEP:-STEP] > 0.2).all()


def test_each_person_has_tracks_of_their_own_also_who_comes_late() -> None:
    plan = RecordPlan("x.mkv", tracks=True, places=PLAN.places)
    session = Session(plan)
    session.recording.take_picture((ANN, CAMERA), BRIGHT, session.now)
    session.run(2.0, ANN)
    session.recording.take_picture((BEN, SCREEN), plain(99, 64, 48), session.now)
    session.run(1.0, ANN, BEN, SELF)
    kept = session.end()
    assert kept.names[0] == "Ann"
    assert set(kept.names) >= {"Ann", "Ann (camera)", BEN.hex()[:8], f"{BEN.hex()[:8]} (screen)"}
    late = kept.names.index(BEN.hex()[:8])
    begin = kept.begins[late] / RATE
    heard = kept.heard(late)
    first = begin + begins(np.abs(heard) > 0.05)[0] / RATE
    assert first == pytest.approx(2.0, abs=0.01)
    screen = kept.names.index(f"{BEN.hex()[:8]} (screen)")
    assert [(at, luma) for track, at, luma in kept.pictures if track == screen] == [
        (2 * SECOND, 99)
    ]


def test_a_peer_without_sound_and_pictures_of_nonsense_harm_nothing() -> None:
    session = Session()
    for size in ((2, 2), (4_096, 2), (2, 4_096)):
        session.recording.take_picture((ANN, CAMERA), plain(100, *size), session.now)
        session.run(0.1)
    session.recording.take_picture((ANN, CAMERA), plain(100, 4_098, 2), session.now)
    session.run(0.5)
    kept = session.end()
    assert not kept.heard(0).any()
    assert kept.pictures
