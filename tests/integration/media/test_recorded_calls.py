"""Recordings of real calls: media processes, files that other programs play, killed and full."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import signal
import statistics
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import av
import pytest

from folkmoot.media.devices.pattern import Pattern
from folkmoot.media.recording.recorder import Recorder
from folkmoot.services.media_port import (
    CAMERA,
    SELF,
    AudioPlan,
    Record,
    RecordingChanged,
    RecordPlace,
    RecordPlan,
    Report,
    SetRecording,
    SetVideo,
    StopRecording,
    VideoPlan,
)
from lab.chromium import chromium
from lab.recorded import heard, offsets, pictures, probe, seen
from lab.sides import OurSide, connect, our_side

pytestmark = [
    pytest.mark.long,
    pytest.mark.needs("ffprobe"),
    pytest.mark.timeout(120),
    pytest.mark.blocks_loop("the test reads files that nobody writes any more"),
]
WIDTH, HEIGHT = 1280, 720
LEFT, RIGHT = (0, 180, 640, 360), (640, 180, 640, 360)
MOST_LOST_S = 3.0
"""The aim is 2 seconds, of which the file takes one; a busy computer gets another."""
CALL = "1"
VIDEO = VideoPlan(source="test", open=True, profile="balanced", height=360)
AUDIO = AudioPlan(source="test", open=True)
PEER = CALL.encode()
PLACES = (
    RecordPlace(SELF, CAMERA, *LEFT, name="Me"),
    RecordPlace(PEER, CAMERA, *RIGHT, name="Ben"),
)


def changes(side: OurSide) -> list[RecordingChanged]:
    return [each for each in side.reports if isinstance(each, RecordingChanged)]


async def until(right: Callable[[], bool], what: str, within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not right():
        assert time.monotonic() < deadline, f"never: {what}"
        await asyncio.sleep(0.02)


async def recorded(side: OurSide, seconds: float) -> None:
    await until(
        lambda: any(each.seconds >= seconds for each in changes(side)),
        f"{seconds} seconds recorded: {changes(side)[-2:]}",
    )


async def ended(side: OurSide) -> RecordingChanged:
    await until(lambda: any(each.state == "ended" for each in changes(side)), "the end")
    return next(each for each in changes(side) if each.state == "ended")


@contextlib.asynccontextmanager
async def call() -> AsyncIterator[tuple[OurSide, OurSide]]:
    """Two sides that see and hear each other."""
    async with our_side(audio=AUDIO, video=VIDEO) as one, our_side(video=VIDEO) as other:
        await connect(one, other, CALL)
        yield one, other


def plan(path: Path, *, tracks: bool = False) -> RecordPlan:
    return RecordPlan(str(path), WIDTH, HEIGHT, 30, tracks, PLACES)


@pytest.mark.needs("chromium")
async def test_both_kinds_of_files_play_in_other_programs(tmp_path: Path) -> None:
    paths = tmp_path / "one.mkv", tmp_path / "other.mp4"
    async with call() as sides:
        for side, path in zip(sides, paths, strict=True):
            side.send(Record(plan(path)))
        seconds = []
        for side in sides:
            await recorded(side, 6)
            side.send(StopRecording())
            end = await ended(side)
            assert end.code == ""
            seconds.append(end.seconds)
    assert probe(paths[0])["codecs"] == ["h264", "opus"]
    assert probe(paths[1])["codecs"] == ["aac", "h264"]
    async with chromium() as browser:
        for path, length in zip(paths, seconds, strict=True):
            assert probe(path)["duration"] == pytest.approx(length, abs=0.5)
            assert not probe(path)["words"]
            for at in (0.0, 4.0):
                played = await browser.play(str(path), at)
                assert (played["width"], played["height"]) == (WIDTH, HEIGHT)
                assert played["pictures"] > 10
                assert played["sound"] > 1_000
                assert played["length"] == pytest.approx(probe(path)["duration"], abs=0.1)


async def test_a_peer_is_recorded_in_step_with_what_it_sent(tmp_path: Path) -> None:
    """The sender's own tracks have its sound and pictures as they were taken; in the other file
    they came over the network."""
    sent, came = tmp_path / "sent.mkv", tmp_path / "came.mp4"
    async with call() as sides:
        for side, path in zip(sides, (sent, came), strict=True):
            side.send(Record(plan(path, tracks=path is sent)))
        for side in sides:
            await recorded(side, 12)
            side.send(StopRecording())
            await ended(side)
    assert abs(statistics.median(offsets(sent, came, RIGHT))) <= 40


@pytest.mark.parametrize("kind", ["mkv", "mp4"])
async def test_a_killed_process_loses_a_second_or_two(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"call.{kind}"
    async with call() as (one, _):
        one.send(Record(plan(path)))
        await recorded(one, 4)
        await asyncio.sleep(0.7)  # somewhere between two reports
        killed_s = time.monotonic()
        os.kill(one.pid, signal.SIGKILL)
    for box in (LEFT, RIGHT):
        last = seen(path, box)[-1]
        assert killed_s - last.drawn_s < MOST_LOST_S
    sound_s = len(heard(path)) / 48_000
    assert sound_s == pytest.approx(seen(path, LEFT)[-1].at_s, abs=1.0)
    assert probe(path)["duration"] == pytest.approx(sound_s, abs=1.0)


@pytest.mark.needs("chromium")
async def test_what_a_killed_process_leaves_plays_in_a_browser(tmp_path: Path) -> None:
    paths = tmp_path / "call.mkv", tmp_path / "call.mp4"
    async with call() as sides:
        for side, path in zip(sides, paths, strict=True):
            side.send(Record(plan(path)))
        for side in sides:
            await recorded(side, 4)
            os.kill(side.pid, signal.SIGKILL)
    async with chromium() as browser:
        for path in paths:
            for at in (0.0, 2.0):
                played = await browser.play(str(path), at)
                assert played["pictures"] > 10
                assert played["length"] > 3


async def test_a_node_that_is_gone_leaves_a_finished_file(tmp_path: Path) -> None:
    path = tmp_path / "call.mp4"
    async with call() as (one, _):
        one.send(Record(plan(path)))
        await recorded(one, 3)
    # The pipe is closed, as when the node was killed: the index is there, so it was ended well.
    assert b"moov" in path.read_bytes()[-200_000:]
    assert probe(path)["duration"] > 3


async def test_who_comes_goes_and_pauses_is_where_it_belongs(tmp_path: Path) -> None:
    path = tmp_path / "call.mkv"
    async with call() as (one, _):
        one.send(Record(plan(path)))
        await recorded(one, 2)
        one.send(SetRecording(PLACES, paused=True))
        await until(lambda: changes(one)[-1].state == "paused", "a pause")
        paused_s, paused = time.monotonic(), changes(one)[-1]
        await asyncio.sleep(2.0)
        going_s = time.monotonic()
        one.send(SetRecording(PLACES[:1], paused=False))
        await recorded(one, paused.seconds + 2)
        one.send(SetVideo(VideoPlan(source="test")))
        await recorded(one, changes(one)[-1].seconds + 5)
        one.send(StopRecording())
        end = await ended(one)
        went_on_s = time.monotonic() - going_s
    found = seen(path, LEFT)
    assert not [each for each in found if paused_s + 0.1 < each.drawn_s < going_s]
    assert max(each.at_s for each in seen(path, RIGHT)) < paused.seconds + 0.5
    assert found[-1].at_s < end.seconds - 2
    assert end.seconds <= paused.seconds + went_on_s
    assert probe(path)["duration"] == pytest.approx(end.seconds, abs=0.2)


async def test_each_person_is_on_a_track_also_where_no_tile_shows_them(tmp_path: Path) -> None:
    path = tmp_path / "call.mkv"
    async with call() as (one, _):
        one.send(Record(plan(path, tracks=True)))
        await recorded(one, 4)
        one.send(StopRecording())
        await ended(one)
    assert probe(path)["codecs"].count("h264") == 2
    assert "opus" in probe(path)["codecs"]
    sizes = {(frame.width, frame.height) for _, frame in pictures(path)}
    assert sizes <= {(640, 360), (480, 270), (320, 180)}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Makes a disk of so many megabytes."""
    made: list[Path] = []

    def make(megabytes: int) -> Path:
        place = tmp_path / f"disk{len(made)}"
        place.mkdir()
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(place)],
            check=True,
            timeout=10,
        )
        made.append(place)
        return place

    yield make
    for place in made:
        subprocess.run(["umount", str(place)], check=True, timeout=10)


@pytest.mark.needs("root", "mount")
@pytest.mark.parametrize("kind", ["mkv", "mp4"])
async def test_a_disk_that_gets_full_ends_it_with_a_file_that_plays(
    small_disk: Callable[[int], Path], kind: str
) -> None:
    disk = small_disk(260)
    path = disk / f"call.{kind}"
    async with call() as (one, _):
        one.send(Record(plan(path)))
        await recorded(one, 3)
        await asyncio.to_thread((disk / "others").write_bytes, bytes(80 * 1024 * 1024))
        end = await ended(one)
        one.send(StopRecording())
    assert end.code == "full"
    assert probe(path)["duration"] == pytest.approx(end.seconds, abs=0.2)
    assert seen(path, LEFT)


@pytest.mark.needs("root", "mount")
@pytest.mark.parametrize("kind", ["mkv", "mp4"])
def test_a_disk_that_refuses_suddenly_leaves_what_was_whole(
    small_disk: Callable[[int], Path], kind: str
) -> None:
    """Nothing was kept free: the last byte of the disk is written."""
    disk = small_disk(2)
    path = disk / f"call.{kind}"
    (disk / "reserve").write_bytes(bytes(300_000))
    reports: queue.Queue[Report] = queue.Queue()
    recorder = Recorder(reports.put, keep_free_bytes=0)
    recorder.begin(plan(path))
    pattern = Pattern(640, 360)
    number, last = 0, RecordingChanged("", "recording", 0.0, 0)
    while last.state != "ended":
        number += 1
        assert number < 3_000
        recorder.picture(SELF, CAMERA, pattern.draw(number, 0), time.monotonic_ns())
        recorder.picture(PEER, CAMERA, pattern.draw(number * 7, 0), time.monotonic_ns())
        with contextlib.suppress(queue.Empty):
            report = reports.get(timeout=0.01)
            assert isinstance(report, RecordingChanged)
            last = report
    recorder.close()
    assert last.code == "full"
    assert path.stat().st_size <= 1_800_000
    assert probe(path)["duration"] == pytest.approx(last.seconds, abs=2.0)
    assert not probe(path)["words"]
    with av.open(str(path)) as container:
        decoded = list(container.decode(container.streams.video[0]))  # every one, without a fault
    assert len(decoded) > 20
