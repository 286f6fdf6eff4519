"""Recording of a call of five: what it costs over the call itself, and whether it stays in step.

CPU: a media process gets four times 720p30 and shows them in four tiles; it is measured whole, in
turn with and without a recording of all four as one picture of 720p30 with their mixed sound; and
the recorder alone, given pictures that are decoded already. In
step: a simulated hour in which the sound card of the person is wrong, and calls of some seconds
over the network of this computer, measured from the files.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from bench.calls import rounds, seconds, spread
from bench.measurement import Measurement
from folkmoot.media.devices.pattern import Pattern
from folkmoot.media.devices.sounds import TestSound
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
    ShowTiles,
    StopRecording,
    TilePlan,
    VideoPlan,
)
from lab import recorded_hour
from lab.recorded import Box, offsets, pictures
from lab.sides import OurSide, connect, cpu_seconds, our_side

WIDTH, HEIGHT, FPS = 1280, 720, 30
KEYS = ("1", "2", "3", "4")
BOXES: tuple[Box, ...] = tuple(
    (x * WIDTH // 2, y * HEIGHT // 2, WIDTH // 2, HEIGHT // 2) for y in (0, 1) for x in (0, 1)
)
SETTLE_S = 8.0
_DIFFERENT = 30
END_S = 10.0
MOST_CORES, MOST_MS = 0.3, 40.0
VIDEO = VideoPlan(source="test", open=True, profile="high", height=HEIGHT)
AUDIO = AudioPlan(source="test", open=True)
PPM = (-200.0, -50.0, 30.0, 100.0, 200.0)
"""How wrong a sound card is, in parts of a million."""


def measure() -> Iterable[Measurement]:
    """CPU, an hour, and real files."""
    with tempfile.TemporaryDirectory() as folder:
        without, more, fps = asyncio.run(_cpu(Path(folder)))
    yield Measurement(
        "recording, 2x2 of 720p30, CPU over the call",
        more,
        "core",
        at_most=MOST_CORES,
        note=f"the call itself {spread(without, 'core')}, in the file {spread(fps, 'fps')}",
    )
    with tempfile.TemporaryDirectory() as folder:
        alone = [_alone(Path(folder) / f"{turn}.mkv") for turn in range(rounds(5))]
    yield Measurement(
        "recording, 2x2 of 720p30, CPU alone",
        [cores for cores, _ in alone],
        "core",
        at_most=MOST_CORES,
        note=f"in the file {spread((fps for _, fps in alone), 'fps')}",
    )
    hours = [_end_of_an_hour(ppm) for ppm in PPM[: rounds(5)]]
    yield Measurement("recording, sound from picture after an hour", hours, "ms", at_most=MOST_MS)
    with tempfile.TemporaryDirectory() as folder:
        calls = [asyncio.run(_in_step(Path(folder), turn)) for turn in range(rounds(5))]
    yield Measurement(
        "recording, sound from picture of a peer",
        [abs(statistics.median(apart)) for apart in calls],
        "ms",
        at_most=MOST_MS,
        note=f"at worst {spread((max(map(abs, apart)) for apart in calls), 'ms')}",
    )


def _end_of_an_hour(ppm: float) -> float:
    apart = recorded_hour.offsets(60, ppm, 4_000_000)
    return max(map(abs, apart[-12:]))


# --- CPU


async def _cpu(folder: Path) -> tuple[list[float], list[float], list[float]]:
    without, more, fps = [], [], []
    places = tuple(
        RecordPlace(key.encode(), CAMERA, *box, name=f"Person {key}")
        for key, box in zip(KEYS, BOXES, strict=True)
    )
    async with _full_call() as receiver:
        await asyncio.sleep(SETTLE_S)
        for turn in range(rounds(5)):
            before = await _cores(receiver)
            path = folder / f"{turn}.mkv"
            receiver.send(Record(RecordPlan(str(path), WIDTH, HEIGHT, FPS, places=places)))
            await asyncio.sleep(1)
            with_it = await _cores(receiver)
            await _stop(receiver, path)
            after = await _cores(receiver)
            without.append((before + after) / 2)
            more.append(with_it - without[-1])
            fps.append(await asyncio.to_thread(_fps, path))
    return without, more, fps


@contextlib.asynccontextmanager
async def _full_call() -> AsyncIterator[OurSide]:
    """One that sees four, who are one process that encodes once."""
    tiles = tuple(
        TilePlan(slot, key.encode(), WIDTH // 2, HEIGHT // 2, slot) for slot, key in enumerate(KEYS)
    )
    async with our_side(video=VIDEO, audio=AUDIO) as sender, our_side(window=True) as receiver:
        for key in KEYS:
            await connect(sender, receiver, key)
        receiver.send(ShowTiles(tiles))
        yield receiver


async def _cores(side: OurSide) -> float:
    before, began = cpu_seconds(side.pid), time.monotonic()
    await asyncio.sleep(seconds(10))
    return (cpu_seconds(side.pid) - before) / (time.monotonic() - began)


def _alone(path: Path) -> tuple[float, float]:
    """Cores that the recorder takes of a process that has the pictures ready, and what it made."""
    ended = threading.Event()

    def take(report: Report) -> None:
        if isinstance(report, RecordingChanged) and report.state == "ended":
            ended.set()

    pattern = Pattern(WIDTH, HEIGHT)
    frames = [pattern.draw(number, 0) for number in range(_DIFFERENT)]
    voice = TestSound()
    recorder = Recorder(take)
    places = tuple(
        RecordPlace(key.encode(), CAMERA, *box, name=f"Person {key}")
        for key, box in zip(KEYS, BOXES, strict=True)
    )
    recorder.begin(RecordPlan(str(path), WIDTH, HEIGHT, FPS, places=places))
    began, spent, fed = time.monotonic(), time.process_time(), time.thread_time()
    lasts, step = seconds(10), 0
    while step < lasts * 100:
        for place, key in enumerate(KEYS):
            if step * FPS // 100 != (step - 1) * FPS // 100:
                frame = frames[(step * FPS // 100 + place * 7) % _DIFFERENT]
                recorder.picture(key.encode(), CAMERA, frame, time.monotonic_ns())
            recorder.sound(key.encode(), voice.pull(), time.monotonic_ns())
        step += 1
        time.sleep(max(0.0, began + step / 100 - time.monotonic()))
    fed = time.thread_time() - fed  # what makes the pictures and sounds is no part of it
    cores = (time.process_time() - spent - fed) / (time.monotonic() - began)
    recorder.stop()
    ended.wait(END_S)
    return cores, _fps(path)


async def _stop(side: OurSide, path: Path) -> None:
    side.send(StopRecording())
    async with asyncio.timeout(END_S):
        while not _ended(side, path):  # noqa: ASYNC110 - reports are looked at, not waited for
            await asyncio.sleep(0.05)


def _ended(side: OurSide, path: Path) -> bool:
    reports = [each for each in side.reports if isinstance(each, RecordingChanged)]
    return any(each.state == "ended" and each.path == str(path) for each in reports)


def _fps(path: Path) -> float:
    times = [at for at, _ in pictures(path)]
    return (len(times) - 1) / (times[-1] - times[0])


# --- in step


async def _in_step(folder: Path, turn: int) -> list[float]:
    """The offsets in a short call; the sender's file has what was said and seen at once."""
    box: Box = (0, 0, WIDTH, HEIGHT)
    sent, came = folder / f"{turn}-sent.mkv", folder / f"{turn}-came.mp4"
    mine = (RecordPlace(SELF, CAMERA, *box, name="Me"),)
    theirs = (RecordPlace(b"1", CAMERA, *box, name="You"),)
    async with our_side(audio=AUDIO, video=VIDEO) as one, our_side() as other:
        await connect(one, other, "1")
        one.send(Record(RecordPlan(str(sent), WIDTH, HEIGHT, FPS, tracks=True, places=mine)))
        other.send(Record(RecordPlan(str(came), WIDTH, HEIGHT, FPS, places=theirs)))
        await asyncio.sleep(3 + seconds(10))
        await _stop(other, came)
        await _stop(one, sent)
    return await asyncio.to_thread(offsets, sent, came, box)
