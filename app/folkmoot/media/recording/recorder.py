"""The recorder of the media process: begins, changes and ends recordings, and tells how they go.

Owns a thread for each recording: one that was stopped may still write while the next one begins.
Ends by itself before the disk is full. Refuses to write over a file, and to record each person on a
track of their own into MP4, which cannot take those who join later.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import av
import av.error

from folkmoot.media.devices.ring import Samples
from folkmoot.media.recording.clock import SECOND
from folkmoot.media.recording.disk import KEEP_FREE_BYTES, RecordingFile, free_bytes, is_full
from folkmoot.media.recording.output import MatroskaOutput, Mp4Output, Output
from folkmoot.media.recording.pictures import Key
from folkmoot.media.recording.recording import Recording
from folkmoot.media.recording.words import Words
from folkmoot.services.media_port import SCREEN, RecordingChanged, RecordPlace, RecordPlan, Report

TELL_NS = SECOND
_PAUSED_WAIT_S = 0.25
_CLOSE_S = 2.0
_LEAST, _MOST = 16, 4096
"""Sides of a composed picture."""
_BROKEN = (OSError, av.error.FFmpegError, ValueError)


class Recorder:
    """Every method is thread-safe and never waits, `close` aside. `report` is called in threads."""

    def __init__(
        self, report: Callable[[Report], None], keep_free_bytes: int = KEEP_FREE_BYTES
    ) -> None:
        self._report = report
        self._keep_free = keep_free_bytes
        self._words = Words()
        self._stills: dict[Key, av.VideoFrame] = {}
        self._job: _Job | None = None
        self._jobs: list[_Job] = []
        self._lock = threading.Lock()

    def begin(self, plan: RecordPlan) -> None:
        """Begin a recording; one that runs is ended first."""
        with self._lock:
            if self._job is not None:
                self._job.stop()
            self._jobs = [job for job in self._jobs if job.is_running]
            self._job = _Job(plan, self._report, self._keep_free, self._words, self._stills)
            self._jobs.append(self._job)
            self._job.start()

    def set(self, places: tuple[RecordPlace, ...], paused: bool) -> None:
        """Other places, or a pause, for the recording that runs."""
        with self._lock:
            if self._job is not None:
                self._job.set(places, paused)

    def stop(self) -> None:
        """End the recording. Returns at once; the end is reported."""
        with self._lock:
            if self._job is not None:
                self._job.stop()
                self._job = None

    def picture(self, peer: bytes, kind: str, frame: av.VideoFrame, capture_ns: int) -> None:
        """A decoded picture that was taken, or came, at `capture_ns` of the monotonic clock."""
        if kind == SCREEN:  # the next one may come in an hour
            self._stills[peer, kind] = frame
        job = self._job
        if job is not None and job.wants(peer, kind):
            job.picture(peer, kind, frame, capture_ns)

    def no_picture(self, peer: bytes, kind: str) -> None:
        """Pictures of that kind stopped."""
        self._stills.pop((peer, kind), None)
        job = self._job
        if job is not None:
            job.forget(peer, kind)

    def sound(self, peer: bytes, samples: Samples, at_ns: int, stream: int = 0) -> None:
        """Mono at 48 kHz, the first sample taken at `at_ns`. A peer may have two streams."""
        job = self._job
        if job is not None:
            job.sound(peer, stream, samples, at_ns)

    def wants(self, peer: bytes, kind: str) -> bool:
        """Whether pictures of that kind are recorded."""
        job = self._job
        return job is not None and job.wants(peer, kind)

    @property
    def is_on(self) -> bool:
        """Whether anything is recorded."""
        job = self._job
        return job is not None and job.is_alive

    def close(self) -> None:
        """End everything; waits for the file, at most two seconds."""
        self.stop()
        deadline = time.monotonic() + _CLOSE_S
        for job in list(self._jobs):
            job.join(max(0.0, deadline - time.monotonic()))


class _Job:
    """One recording and its thread."""

    def __init__(
        self,
        plan: RecordPlan,
        report: Callable[[Report], None],
        keep_free: int,
        words: Words,
        stills: dict[Key, av.VideoFrame],
    ) -> None:
        self._plan = plan
        self._report = report
        self._keep_free = keep_free
        self._words = words
        self._stills = stills
        self._places = plan.places
        self._paused = plan.paused
        self._changes = int(plan.paused)  # taken before anything is recorded
        self._stopped = self._ended = False
        self._keys = _keys(plan.places)
        self._seconds = 0.0
        self._wake = threading.Event()
        self._file: RecordingFile | None = None
        self._recording: Recording | None = None
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)

    # --- from any thread

    @property
    def is_alive(self) -> bool:
        return not self._ended

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def set(self, places: tuple[RecordPlace, ...], paused: bool) -> None:
        self._places, self._paused = places, paused
        self._keys = _keys(places)
        self._changes += 1
        self._wake.set()

    def wants(self, peer: bytes, kind: str) -> bool:
        if self._ended or self._stopped:
            return False
        return self._plan.tracks or (peer, kind) in self._keys

    def picture(self, peer: bytes, kind: str, frame: av.VideoFrame, at_ns: int) -> None:
        recording = self._recording
        if recording is not None:
            recording.take_picture((peer, kind), frame, at_ns)

    def forget(self, peer: bytes, kind: str) -> None:
        recording = self._recording
        if recording is not None:
            recording.forget((peer, kind))

    def sound(self, peer: bytes, stream: int, samples: Samples, at_ns: int) -> None:
        recording = self._recording
        if recording is not None and not self._ended:
            recording.take_sound((peer, stream), samples, at_ns)

    # --- in its thread

    def _run(self) -> None:
        output, code, words = None, "", ""
        try:
            output = self._open()
            code = self._work(output)
        except _BROKEN as error:
            code, words = _why(error)
            if output is not None:
                output.abandon()
        except Exception as error:  # noqa: BLE001 - a bug must not leave a recording that seems on
            code, words = "failed", repr(error)
            if output is not None:
                output.abandon()
        finally:
            self._ended = True
            self._recording = None
        if code == "full" and not words:
            words = "The disk is full."
        if words:
            sys.stderr.write(f"A recording ended: {words}\n"[:400])
        self._tell("ended", code, words)

    def _open(self) -> Output:
        plan = self._plan
        suffix = Path(plan.path).suffix.lower()
        sizes = _LEAST <= plan.width <= _MOST and _LEAST <= plan.height <= _MOST
        if suffix not in (".mkv", ".mp4") or not (sizes or plan.tracks):
            raise ValueError("a recording is .mkv or .mp4, of 16 to 4096 pixels a side")
        if plan.tracks and suffix == ".mp4":
            raise ValueError("one track for each person needs a file of .mkv")
        if free_bytes(plan.path) < self._keep_free:
            raise OSError(28, os.strerror(28))
        file = self._file = RecordingFile(plan.path)
        try:
            output: Output
            if suffix == ".mkv":
                output = MatroskaOutput(file)
            else:
                output = Mp4Output(file, plan.width & ~1, plan.height & ~1, plan.fps)
            began_ns = time.monotonic_ns()
            recording = Recording(plan, output, began_ns, self._words)
            if self._paused:  # before anybody can give it something
                recording.pause(began_ns)
            self._recording = recording
        except BaseException:
            file.discard()
            self._file = None
            raise
        return output

    def _work(self, output: Output) -> str:
        """Record until it is stopped or the disk is full: the code of the end."""
        recording = self._recording
        assert recording is not None
        seen, told_ns, code = 0, -TELL_NS, ""
        self._show_stills(recording)
        while not self._stopped and not code:
            now_ns = time.monotonic_ns()
            before, seen = seen, self._changes
            changed = seen != before
            if changed:
                self._apply(recording, now_ns)
            recording.advance(now_ns)
            if changed or now_ns - told_ns >= TELL_NS:
                told_ns = now_ns
                state = "paused" if recording.is_paused else "recording"
                self._seconds = recording.length_ns(now_ns) / SECOND
                self._tell(state)
                code = "full" if free_bytes(self._plan.path) < self._keep_free else ""
            self._rest(recording)
        now_ns = time.monotonic_ns()
        self._seconds = recording.length_ns(now_ns) / SECOND
        recording.finish(now_ns)
        return code

    def _apply(self, recording: Recording, now_ns: int) -> None:
        if self._paused:
            recording.pause(now_ns)
        else:
            recording.resume(now_ns)
        recording.set_places(self._places)
        self._show_stills(recording)

    def _show_stills(self, recording: Recording) -> None:
        """A screen that stands still since before is shown from here on."""
        for (peer, kind), frame in list(self._stills.items()):
            if self.wants(peer, kind):
                recording.take_picture((peer, kind), frame, time.monotonic_ns())

    def _rest(self, recording: Recording) -> None:
        """Until the next picture is due, or something is asked for."""
        if recording.is_paused:
            wait_s = _PAUSED_WAIT_S
        else:
            period = SECOND // self._plan.fps
            wait_s = (period - recording.length_ns(time.monotonic_ns()) % period) / SECOND
        if self._wake.wait(wait_s):
            self._wake.clear()

    def _tell(self, state: str, code: str = "", words: str = "") -> None:
        size = self._file.size if self._file is not None else 0
        self._report(
            RecordingChanged(self._plan.path, state, self._seconds, size, code, words[:500])
        )


def _keys(places: tuple[RecordPlace, ...]) -> frozenset[tuple[bytes, str]]:
    return frozenset((place.peer, place.kind) for place in places)


def _why(error: BaseException) -> tuple[str, str]:
    if is_full(error):
        return "full", "The disk is full."
    if isinstance(error, FileExistsError):
        return "failed", "There is a file of that name already."
    if isinstance(error, OSError) and error.strerror:
        return "failed", f"The file cannot be written: {error.strerror}."
    return "failed", f"The recording failed: {error}."
