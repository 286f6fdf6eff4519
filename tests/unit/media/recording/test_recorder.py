"""The recorder: begins and ends, tells, leaves nothing behind, and says why it cannot."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from msgspec import structs

from folkmoot.media.devices.pattern import Pattern
from folkmoot.media.devices.ring import STEP
from folkmoot.media.devices.stamp import read_stamp
from folkmoot.media.recording import recorder as module
from folkmoot.media.recording.recorder import Recorder
from folkmoot.media.recording.recording import Recording
from folkmoot.services.media_port import (
    CAMERA,
    SCREEN,
    SELF,
    RecordingChanged,
    RecordPlace,
    RecordPlan,
    Report,
    decode_report,
    encode,
)

ANN = b"a" * 32
WIDTH, HEIGHT = 320, 180
PLACES = (RecordPlace(ANN, CAMERA, 0, 0, WIDTH, HEIGHT, "Ann"),)
SOUND = np.full(STEP, 8_000, np.int16)
WAIT_S = 30.0


class Told:
    """A recorder, and what it tells."""

    def __init__(self, keep_free_bytes: int = 1) -> None:
        self.reports: list[RecordingChanged] = []
        self._changed = threading.Condition()
        self.recorder = Recorder(self._take, keep_free_bytes)
        self.pattern = Pattern(WIDTH, HEIGHT)
        self.number = 0

    def _take(self, report: Report) -> None:
        assert decode_report(encode(report)) == report
        assert isinstance(report, RecordingChanged)
        with self._changed:
            self.reports.append(report)
            self._changed.notify_all()

    def wait(self, right: Callable[[RecordingChanged], bool]) -> RecordingChanged:
        """The first report that is right."""

        def find() -> RecordingChanged | None:
            return next((each for each in self.reports if right(each)), None)

        with self._changed:
            assert self._changed.wait_for(lambda: find() is not None, WAIT_S), self.reports
            found = find()
        assert found is not None
        return found

    def ended(self, path: Path) -> RecordingChanged:
        return self.wait(lambda each: each.state == "ended" and each.path == str(path))

    def began(self, path: Path) -> RecordingChanged:
        return self.wait(lambda each: each.state == "recording" and each.path == str(path))

    def feed(self) -> None:
        """A moment of Ann."""
        self.number += 1
        frame = self.pattern.draw(self.number, 0)
        self.recorder.picture(ANN, CAMERA, frame, time.monotonic_ns())
        self.recorder.sound(ANN, SOUND, time.monotonic_ns())

    def feed_until(self, right: Callable[[RecordingChanged], bool]) -> RecordingChanged:
        """Ann goes on until that is told."""
        seen = len(self.reports)
        deadline = time.monotonic() + WAIT_S
        while not any(right(each) for each in self.reports[seen:]):
            assert time.monotonic() < deadline, self.reports
            self.feed()
            threading.Event().wait(0.01)
        return next(each for each in self.reports[seen:] if right(each))


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    yield made
    made.recorder.close()


def _plan(path: Path, *, tracks: bool = False) -> RecordPlan:
    return RecordPlan(str(path), WIDTH, HEIGHT, 30, tracks, PLACES)


@pytest.mark.parametrize("kind", ["mkv", "mp4"])
def test_a_recording_is_told_each_second_and_plays_at_the_end(
    tmp_path: Path, told: Told, kind: str
) -> None:
    path = tmp_path / f"call.{kind}"
    told.recorder.begin(_plan(path))
    told.began(path)
    told.feed_until(lambda each: each.seconds > 3)
    told.recorder.stop()
    end = told.ended(path)
    assert end.code == ""
    assert end.size_bytes == path.stat().st_size
    gaps = np.diff([each.seconds for each in told.reports if each.state == "recording"])
    assert 0.999 < min(gaps) < 1.5
    assert end.seconds >= 3
    with av.open(str(path)) as container:
        assert (container.duration or 0) / 1e6 == pytest.approx(end.seconds, abs=0.15)
        pictures = list(container.decode(container.streams.video[0]))
    assert (pictures[-1].width, pictures[-1].height) == (WIDTH, HEIGHT)
    assert len(pictures) > 8  # more than of what stands still, also on a busy machine


def test_a_pause_is_told_at_once_and_makes_it_no_longer(tmp_path: Path, told: Told) -> None:
    path = tmp_path / "call.mkv"
    told.recorder.begin(_plan(path))
    told.feed_until(lambda each: each.seconds > 0.9)
    told.recorder.set(PLACES, paused=True)
    paused = told.feed_until(lambda each: each.state == "paused")
    again = told.feed_until(lambda each: each.state == "paused")
    assert again.seconds == paused.seconds
    resumed = time.monotonic()
    told.recorder.set(PLACES, paused=False)
    told.feed_until(lambda each: each.state == "recording")
    told.recorder.stop()
    assert told.ended(path).seconds <= paused.seconds + time.monotonic() - resumed


def test_a_recording_may_begin_with_a_pause(
    tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Also where its thread stands still before it looks for changes.
    monkeypatch.setattr(module._Job, "_show_stills", lambda *_: time.sleep(0.3))
    path = tmp_path / "call.mkv"
    told.recorder.begin(structs.replace(_plan(path), paused=True))
    told.feed_until(lambda each: each.state == "paused")
    told.feed_until(lambda each: each.state == "paused")
    assert {each.state for each in told.reports} == {"paused"}
    told.recorder.stop()
    assert told.ended(path).seconds == 0.0


def test_a_pause_that_comes_while_the_thread_looks_for_changes_is_seen(
    tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    armed = threading.Event()

    def look(job: Any) -> int:
        changes: int = job.counted
        if armed.is_set() and threading.current_thread().name == "recording":
            armed.clear()
            told.recorder.set(PLACES, paused=True)
        return changes

    changes = property(look, lambda job, value: setattr(job, "counted", value))
    monkeypatch.setattr(module._Job, "_changes", changes, raising=False)
    told.recorder.begin(_plan(tmp_path / "call.mkv"))
    told.began(tmp_path / "call.mkv")
    armed.set()
    told.wait(lambda each: each.state == "paused")


def test_only_who_has_a_place_is_wanted(tmp_path: Path, told: Told) -> None:
    assert not told.recorder.wants(ANN, CAMERA)
    told.recorder.begin(_plan(tmp_path / "call.mkv"))
    assert told.recorder.wants(ANN, CAMERA)
    assert not told.recorder.wants(ANN, SCREEN)
    told.recorder.set((RecordPlace(SELF, SCREEN, 0, 0, 320, 180),), paused=False)
    assert told.recorder.wants(SELF, SCREEN)
    assert not told.recorder.wants(ANN, CAMERA)
    told.recorder.stop()
    assert not told.recorder.wants(SELF, SCREEN)
    told.recorder.begin(_plan(tmp_path / "tracks.mkv", tracks=True))
    assert told.recorder.wants(b"anybody", SCREEN)


def test_a_second_recording_ends_the_first(tmp_path: Path, told: Told) -> None:
    first, second = tmp_path / "1.mkv", tmp_path / "2.mp4"
    told.recorder.begin(_plan(first))
    told.began(first)
    told.recorder.begin(_plan(second))
    assert told.ended(first).code == ""
    told.began(second)
    told.recorder.stop()
    assert told.ended(second).code == ""


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path, told: Told) -> None:
    path = tmp_path / "call.mkv"
    path.write_bytes(b"mine")
    told.recorder.begin(_plan(path))
    end = told.ended(path)
    assert end.code == "failed"
    assert "already" in end.words
    assert path.read_bytes() == b"mine"
    assert not told.recorder.is_on


@pytest.mark.parametrize(
    "name", ["no/such/folder/call.mkv", "call.avi", "call", "x" * 300 + ".mp4"]
)
def test_what_cannot_be_written_is_told(tmp_path: Path, told: Told, name: str) -> None:
    path = tmp_path / name
    told.recorder.begin(_plan(path))
    end = told.ended(path)
    assert end.code == "failed"
    assert end.words


@pytest.mark.parametrize(("width", "height"), [(0, 0), (5_000, 20), (2**31 - 1, 720)])
def test_sizes_that_nobody_records_are_refused(
    tmp_path: Path, told: Told, width: int, height: int
) -> None:
    path = tmp_path / "call.mp4"
    told.recorder.begin(RecordPlan(str(path), width, height))
    assert told.ended(path).code == "failed"
    assert not path.exists()


def test_tracks_are_refused_for_mp4_with_a_reason(tmp_path: Path, told: Told) -> None:
    path = tmp_path / "call.mp4"
    told.recorder.begin(_plan(path, tracks=True))
    assert ".mkv" in told.ended(path).words
    assert not path.exists()


def test_where_too_little_is_free_none_begins(tmp_path: Path) -> None:
    told = Told(keep_free_bytes=2**62)
    path = tmp_path / "call.mkv"
    told.recorder.begin(_plan(path))
    assert told.ended(path).code == "full"
    assert not path.exists()
    told.recorder.close()


def test_a_screen_that_stands_still_since_before_is_recorded(tmp_path: Path, told: Told) -> None:
    path = tmp_path / "call.mkv"
    place = RecordPlace(ANN, SCREEN, 0, 0, WIDTH, HEIGHT)
    shared = Pattern(WIDTH, HEIGHT).draw(77, 0)
    told.recorder.picture(ANN, SCREEN, shared, time.monotonic_ns())
    gone = b"g" * 32
    told.recorder.picture(gone, SCREEN, shared, time.monotonic_ns())
    told.recorder.no_picture(gone, SCREEN)
    told.recorder.begin(RecordPlan(str(path), WIDTH, HEIGHT, places=(place,)))
    told.wait(lambda each: each.seconds > 0.9)
    told.recorder.set((place,), paused=True)
    paused = told.wait(lambda each: each.state == "paused")
    later = Pattern(WIDTH, HEIGHT).draw(78, 0)
    told.recorder.picture(ANN, SCREEN, later, time.monotonic_ns())
    told.recorder.set((place,), paused=False)
    told.wait(lambda each: each.seconds > paused.seconds + 0.9)
    told.recorder.stop()
    told.ended(path)
    with av.open(str(path)) as container:
        stamps = [read_stamp(frame) for frame in container.decode(container.streams.video[0])]
    numbers = [stamp.number for stamp in stamps if stamp is not None]
    assert sorted(set(numbers)) == [77, 78]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("kind", ["mkv", "mp4"])
def test_a_recording_ends_by_itself_before_the_disk_is_full(
    tmp_path: Path, told: Told, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"call.{kind}"
    told.recorder.begin(_plan(path))
    told.feed_until(lambda each: each.seconds > 1)
    monkeypatch.setattr(module, "free_bytes", lambda _: 0)
    end = told.feed_until(lambda each: each.state == "ended")
    assert end.code == "full"
    assert end.words
    with av.open(str(path)) as container:
        assert (container.duration or 0) / 1e6 == pytest.approx(end.seconds, abs=0.15)


def test_a_fault_of_our_own_ends_it_with_a_report(
    tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("our bug")

    path = tmp_path / "call.mkv"
    monkeypatch.setattr(Recording, "advance", fail)
    told.recorder.begin(_plan(path))
    end = told.ended(path)
    assert end.code == "failed"
    assert not told.recorder.is_on


def test_many_recordings_leave_no_thread_and_no_file_open(tmp_path: Path, told: Told) -> None:
    def opened() -> tuple[int, int]:
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    def until(right: Callable[[], bool]) -> None:
        """What ends, ends a moment after it was told."""
        deadline = time.monotonic() + WAIT_S
        while not right():
            assert time.monotonic() < deadline, (opened(), threading.enumerate())
            time.sleep(0.01)

    told.recorder.begin(_plan(tmp_path / "first.mkv"))
    told.began(tmp_path / "first.mkv")
    told.recorder.close()
    until(lambda: "recording" not in {each.name for each in threading.enumerate()})
    threads, files = opened()
    for number in range(40):
        path = tmp_path / f"{number}.{'mkv' if number % 2 else 'mp4'}"
        told.recorder.begin(_plan(path, tracks=number % 4 == 1))
        told.feed()
        if number % 3:
            told.began(path)
        told.feed()
        told.recorder.stop()
        told.ended(path)
    told.recorder.close()
    until(lambda: opened()[0] <= threads and opened()[1] <= files)


def test_twenty_five_people_are_recorded_on_tracks_of_their_own(tmp_path: Path, told: Told) -> None:
    path = tmp_path / "call.mkv"
    told.recorder.begin(RecordPlan(str(path), tracks=True))
    told.began(path)
    frame = Pattern(64, 48).draw(0, 0)
    people = [bytes([each]) * 32 for each in range(25)]
    deadline = time.monotonic() + WAIT_S
    for round_ in itertools.count():
        if round_ > 9 and told.reports[-1].seconds >= 1:
            break
        assert time.monotonic() < deadline
        for person in people:
            told.recorder.picture(person, CAMERA, frame, time.monotonic_ns())
            told.recorder.sound(person, SOUND, time.monotonic_ns())
        threading.Event().wait(0.01)
    told.recorder.stop()
    assert told.ended(path).code == ""
    with av.open(str(path)) as container:
        assert (len(container.streams.video), len(container.streams.audio)) == (25, 25)
