"""Where pictures of this person come from: a camera, a generated picture, or a file.

Owns the thread that hands frames out, at the size and rate that are wanted. Refuses to show more
than the source has: nothing is scaled up, and a source that fails is told and tried again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction

import av
import av.error

from folkmoot.media.devices.camera import Camera, Snapshot
from folkmoot.media.devices.pattern import Pattern
from folkmoot.services.media_port import VideoPlan

RETRY_S = 1.0
SILENT_S = 3.0
"""A camera that gives no picture for so long is opened anew."""
_LATE_S = 0.5
"""When a source is later than this, its clock starts anew instead of catching up."""

FrameTaken = Callable[[av.VideoFrame, int], None]
Fault = Callable[[str, str, str], None]


class VideoInput:
    """Hands yuv420p frames to `frame(frame, capture_ns)` in its own thread.

    `fault(kind, code, words)` may be called from that thread too. Without `use_devices` a camera is
    never touched.
    """

    def __init__(self, *, frame: FrameTaken, fault: Fault, use_devices: bool) -> None:
        self._frame = frame
        self._fault = fault
        self._use_devices = use_devices
        self._plan = VideoPlan()
        self._limits = (1280, 720, 30)
        self._changed = threading.Condition()
        self._version = 0
        self._closed = False
        self._faulty = False
        self._number = 0
        self._thread: threading.Thread | None = None

    def set_plan(self, plan: VideoPlan) -> None:
        """Replace the plan. After this returns no frame of the old one begins to be handed out."""
        with self._changed:
            if plan == self._plan:
                return
            self._plan = plan
            self._wake()
            if self._thread is None and plan.open and not self._closed:
                self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)
                self._thread.start()

    def set_limits(self, width: int, height: int, fps: int) -> None:
        """The largest picture and the rate that are wanted. Raises `ValueError` out of bounds."""
        if not (16 <= width <= 4096 and 16 <= height <= 4096 and 1 <= fps <= 120):
            raise ValueError(f"pictures of {width}x{height} at {fps} a second are out of bounds")
        with self._changed:
            if self._limits != (width, height, fps):
                self._limits = width, height, fps
                self._wake()

    def close(self) -> None:
        """End the thread and close the camera; waits for it, at most two seconds."""
        with self._changed:
            self._closed = True
            self._wake()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(2.0)

    def _wake(self) -> None:
        self._version += 1
        self._changed.notify_all()

    # --- in the thread

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                plan, version = self._plan, self._version
                if not plan.open or plan.source == "none":
                    self._changed.wait()
                    continue
            if plan.source == "test":
                self._serve_test(version)
            elif plan.source == "file":
                self._serve_file(plan.source_id, version)
            elif plan.source == "device" and self._use_devices:
                self._serve_camera(plan.source_id, version)
            else:
                self._tell("none", "There is no camera here.")
                self._rest(version, None)

    def _holds(self, version: int) -> bool:
        with self._changed:
            return version == self._version and not self._closed

    def _rest(self, version: int, seconds: float | None) -> bool:
        """Wait until the plan changes. Return whether it still holds after `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: version != self._version or self._closed, seconds)
            return version == self._version and not self._closed

    def _tell(self, code: str, words: str) -> None:
        if code or self._faulty:
            self._faulty = bool(code)
            self._fault("camera", code, words)

    def _hand_out(self, frame: av.VideoFrame, capture_ns: int) -> None:
        frame.pts, frame.time_base = capture_ns // 1000, Fraction(1, 1_000_000)
        self._frame(frame, capture_ns)
        self._tell("", "")

    def _serve_test(self, version: int) -> None:
        width, height, fps = self._limits
        pattern = Pattern(width & ~1, height & ~1)
        due = time.monotonic()
        while self._rest(version, max(0.0, due - time.monotonic())):
            now = time.monotonic_ns()
            self._hand_out(pattern.draw(self._number, now // 1000), now)
            self._number += 1
            due = _next_due(due, 1 / fps)

    def _serve_file(self, path: str, version: int) -> None:
        try:
            while self._holds(version):
                self._play(path, version)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self._tell("file", f"The video file cannot be played: {error}"[:500])
            self._rest(version, RETRY_S)

    def _play(self, path: str, version: int) -> None:
        """Play the file once, at its own pace or the wanted one, whichever is slower."""
        width, height, fps = self._limits
        fitter = _Fitter(width, height)
        with av.open(path) as container:
            if not container.streams.video:
                raise ValueError("it has no picture")
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            start, first, shown = time.monotonic(), None, -1.0
            for frame in container.decode(stream):
                if frame.time is None:
                    continue
                first = frame.time if first is None else first
                at = frame.time - first
                if at < shown + 0.9 / fps:
                    continue
                if not self._rest(version, max(0.0, start + at - time.monotonic())):
                    return
                if time.monotonic() - (start + at) > _LATE_S:
                    start = time.monotonic() - at
                shown = at
                self._hand_out(fitter.fit(frame), time.monotonic_ns())
            if first is None:
                raise ValueError("it has no picture")
            self._rest(version, max(0.0, start + shown + 1 / fps - time.monotonic()))

    def _serve_camera(self, wanted: str, version: int) -> None:
        width, height, fps = self._limits
        fitter = _Fitter(width, height)
        camera = Camera(wanted, width, height, fps)
        try:
            for snapshot in self._snapshots(camera, version):
                self._hand_out(fitter.fit(snapshot.to_frame()), snapshot.capture_ns)
        finally:
            camera.close()
        if camera.fault is not None and self._holds(version):
            self._tell(*camera.fault)
            self._rest(version, RETRY_S)

    def _snapshots(self, camera: Camera, version: int) -> Iterator[Snapshot]:
        """What the camera gives, thinned to the wanted rate, until it fails or the plan changes."""
        period = 1e9 / self._limits[2]
        due = 0.0
        heard = time.monotonic()
        while self._holds(version) and camera.fault is None:
            snapshot = camera.take(0.1)
            if snapshot is None:
                if time.monotonic() - heard > SILENT_S:
                    camera.fault = ("gone", "The camera gives no picture.")
                continue
            heard = time.monotonic()
            if snapshot.capture_ns < due - period / 4:
                continue
            due = max(due + period, snapshot.capture_ns + period / 2)
            yield snapshot


class _Fitter:
    """Scales down into a box, keeping the shape; yuv420p with even sides."""

    def __init__(self, width: int, height: int) -> None:
        self._box = width, height
        self._scaler = av.video.reformatter.VideoReformatter()

    def fit(self, frame: av.VideoFrame) -> av.VideoFrame:
        scale = min(1.0, self._box[0] / frame.width, self._box[1] / frame.height)
        width, height = (max(2, int(side * scale) & ~1) for side in (frame.width, frame.height))
        return self._scaler.reformat(
            frame, width=width, height=height, format="yuv420p", interpolation="BILINEAR", threads=1
        )


def _next_due(due: float, period: float) -> float:
    due += period
    now = time.monotonic()
    return now if now - due > _LATE_S else due
