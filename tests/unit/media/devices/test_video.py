"""Pictures of this person: generated ones, files, and a camera that is not there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from folkmoot.media.devices.pattern import Pattern
from folkmoot.media.devices.stamp import read_stamp
from folkmoot.media.devices.video import VideoInput
from folkmoot.services.media_port import VideoPlan

WAIT_S = 30.0


class Seen:
    """What an input gave, with waiting."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.frames: list[tuple[av.VideoFrame, int]] = []
        self.faults: list[str] = []
        self.threads: set[str] = set()
        self.input = VideoInput(frame=self._take, fault=self._fail, use_devices=False)

    def _take(self, frame: av.VideoFrame, capture_ns: int) -> None:
        with self._changed:
            self.threads.add(threading.current_thread().name)
            self.frames.append((frame, capture_ns))
            self._changed.notify_all()

    def _fail(self, kind: str, code: str, _words: str) -> None:
        with self._changed:
            assert kind == "camera"
            self.faults.append(code)
            self._changed.notify_all()

    def wait(self, until: Callable[[], bool]) -> bool:
        """Wait until what was given makes it true."""
        with self._changed:
            return self._changed.wait_for(until, WAIT_S)


@pytest.fixture
def seen() -> Iterator[Seen]:
    seen = Seen()
    seen.input.set_limits(320, 180, 30)
    yield seen
    seen.input.close()


def _write_video(path: Path, frames: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.options = {"deadline": "realtime", "cpu-used": "8"}
        pattern = Pattern(640, 360)
        for number in range(frames):
            frame = pattern.draw(number, number)
            frame.pts = None
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_the_test_picture_comes_at_the_wanted_size_and_rate(seen: Seen) -> None:
    began = time.monotonic()
    seen.input.set_plan(VideoPlan(source="test", open=True))
    assert seen.wait(lambda: len(seen.frames) >= 60)
    frame, captured = seen.frames[0]
    assert (frame.width, frame.height, frame.format.name) == (320, 180, "yuv420p")
    stamps = [read_stamp(each) for each, _ in seen.frames[:20]]
    assert [stamp.number for stamp in stamps if stamp] == list(range(20))
    assert stamps[0] is not None
    assert stamps[0].micros == captured // 1000 % 2**48
    times = np.array([at for _, at in seen.frames[:60]]) / 1e9
    assert times[59] - began > 1.95  # none is early, but those after a late one come sooner
    assert np.median(np.diff(times)) < 0.063
    assert seen.threads == {"pictures"}


def test_limits_change_while_it_runs(seen: Seen) -> None:
    seen.input.set_plan(VideoPlan(source="test", open=True))
    assert seen.wait(lambda: len(seen.frames) >= 2)
    seen.input.set_limits(640, 360, 15)
    assert seen.wait(lambda: seen.frames[-1][0].width == 640)


def test_a_closed_plan_stops_the_pictures(seen: Seen) -> None:
    seen.input.set_plan(VideoPlan(source="test", open=True))
    assert seen.wait(lambda: len(seen.frames) >= 2)
    seen.input.set_plan(VideoPlan(source="test", open=False))
    thread = seen.input._thread
    assert thread is not None
    seen.input.close()
    thread.join(WAIT_S)
    assert not thread.is_alive()


def test_a_file_is_scaled_down_and_played_again(seen: Seen, tmp_path: Path) -> None:
    path = tmp_path / "film.webm"
    _write_video(path, 8)
    began = time.monotonic()
    seen.input.set_plan(VideoPlan(source="file", source_id=str(path), open=True))
    assert seen.wait(lambda: len(seen.frames) >= 12)
    stamps = [read_stamp(frame) for frame, _ in seen.frames[:12]]
    assert [stamp.number for stamp in stamps if stamp] == [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3]
    assert {(frame.width, frame.height) for frame, _ in seen.frames} == {(320, 180)}
    times = np.array([at for _, at in seen.frames[:8]]) / 1e9
    assert times[7] - began > 0.25
    assert np.median(np.diff(times)) < 0.08
    assert seen.faults == []


@pytest.mark.parametrize("content", [None, b"", b"not a film" * 1000])
def test_a_file_that_cannot_be_played_is_a_fault_until_it_can(
    seen: Seen, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "film.webm"
    if content is not None:
        path.write_bytes(content)
    seen.input.set_plan(VideoPlan(source="file", source_id=str(path), open=True))
    assert seen.wait(lambda: seen.faults[:1] == ["file"])
    _write_video(path, 4)
    assert seen.wait(lambda: seen.faults[-1] == "" and len(seen.frames) > 0)


def test_without_devices_a_camera_is_a_clear_fault(seen: Seen) -> None:
    seen.input.set_plan(VideoPlan(source="device", open=True))
    assert seen.wait(lambda: seen.faults == ["none"])


@pytest.mark.parametrize("limits", [(0, 180, 30), (320, 9000, 30), (320, 180, 0)])
def test_limits_out_of_bounds_are_refused(seen: Seen, limits: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="out of bounds"):
        seen.input.set_limits(*limits)
