"""A recording without files: an output that keeps what it is given, and a simulated call.

The clock is the caller's, so that an hour takes seconds.
"""

from __future__ import annotations

import collections

import av
import numpy as np
from numpy.typing import NDArray

from folkmoot.media.devices.planes import view_plane
from folkmoot.media.devices.ring import RATE, STEP
from folkmoot.media.recording.clock import SECOND
from folkmoot.media.recording.recording import Recording
from folkmoot.media.recording.words import Words
from folkmoot.services.media_port import CAMERA, RecordPlace, RecordPlan

ANN = b"a" * 32
BEGAN = 77 * SECOND
FPS = 30
PLAN = RecordPlan("x.mkv", 32, 32, FPS, places=(RecordPlace(ANN, CAMERA, 0, 0, 32, 32, "Ann"),))
SILENCE = np.zeros(STEP, np.int16)
LOUD = np.full(STEP, 8_000, np.int16)


class Kept:
    """An output that keeps what it is given; codes nothing."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.sounds: dict[int, list[NDArray[np.float32]]] = collections.defaultdict(list)
        self.begins: dict[int, int] = {}
        self.pictures: list[tuple[int, int, int]] = []  # track, time, brightness
        self.released = 0
        self.over = False

    def add_sound(self, name: str, *, mixed: bool) -> int | None:
        self.names.append(name)
        return len(self.names) - 1

    def add_picture(self, name: str, fps: int) -> int | None:
        return self.add_sound(name, mixed=False)

    def chunk(self, track: int) -> int:
        return 960

    def sound(self, track: int, sound: NDArray[np.float32], position: int) -> None:
        begin = self.begins.setdefault(track, position)
        assert position == begin + 960 * len(self.sounds[track])
        self.sounds[track].append(sound)

    def picture(self, track: int, frame: av.VideoFrame, at_ns: int) -> None:
        assert at_ns >= self.released
        middle = frame.height // 2, frame.width // 2
        self.pictures.append((track, at_ns, int(view_plane(frame, 0)[middle])))

    def release(self, until_ns: int) -> None:
        assert until_ns >= self.released
        self.released = until_ns

    def finish(self) -> None:
        self.over = True

    def abandon(self) -> None:
        self.over = True

    def heard(self, track: int) -> NDArray[np.float32]:
        return np.concatenate(self.sounds[track])


def plain(luma: int, width: int = 32, height: int = 32) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, "yuv420p")
    for index in range(3):
        view_plane(frame, index)[:] = luma if index == 0 else 128
    return frame


def begins(loud: NDArray[np.bool_]) -> list[int]:
    return [int(at) for at in np.flatnonzero(loud[1:] & ~loud[:-1]) + 1]


def offsets(minutes: int, ppm: float, jitter_ns: int) -> list[float]:
    """Milliseconds that each beep came after its flash, in a call of so many minutes.

    The sound card of the person is wrong by `ppm`, and each block and picture is told with an error
    of up to `jitter_ns`.
    """
    kept = Kept()
    recording = Recording(PLAN, kept, BEGAN, Words(lambda _: False))
    dark, bright = plain(20), plain(230)
    chance = np.random.default_rng(5)
    block, taken, lit = 0, float(BEGAN), False
    beep = 0
    for picture in range(minutes * 60 * FPS):
        now = BEGAN + picture * SECOND // FPS + SECOND // 97
        flash = picture % (10 * FPS) < FPS // 2
        if flash != lit or picture % FPS == 0:
            recording.take_picture((ANN, CAMERA), bright if flash else dark, now)
        if flash and not lit:
            beep = now
        lit = flash
        while taken < now:
            loud = beep <= taken < beep + SECOND // 5
            at = int(taken + chance.integers(-jitter_ns, jitter_ns + 1))
            recording.take_sound((ANN, 0), LOUD if loud else SILENCE, at)
            block += 1
            taken = BEGAN + block * STEP * SECOND / RATE / (1 + ppm / 1e6)
        recording.advance(now)
    recording.finish(int(taken))
    flashes, last = [], 0
    for _, at_ns, luma in kept.pictures:
        if luma > 150 and last < 150:
            flashes.append(at_ns / 1e6)
        last = luma
    beeps = [at * 1e3 / RATE for at in begins(np.abs(kept.heard(0)) > 0.05)]
    assert len(beeps) == len(flashes) == minutes * 6
    return [there - here for there, here in zip(beeps, flashes, strict=True)]
