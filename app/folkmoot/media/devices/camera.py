"""One camera through Qt: opened and served in the Qt thread, emptied by another one.

Owns the copy of each picture out of Qt's memory. Refuses pixel formats that are not listed; only
the newest picture is kept, so a slow taker never makes a queue.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np

from folkmoot.media.devices.planes import view_rows
from folkmoot.media.devices.qt import call_in_qt

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QVideoFrame

    from folkmoot.media.devices.qt_camera import QtCamera

_PLANES: dict[str, tuple[tuple[int, int], ...]] = {
    # bytes a pixel across, and lines: both as (numerator of the width, divisor of the height)
    "yuv420p": ((2, 1), (1, 2), (1, 2)),
    "yuv422p": ((2, 1), (1, 1), (1, 1)),
    "nv12": ((2, 1), (2, 2)),
    "nv21": ((2, 1), (2, 2)),
    "yuyv422": ((4, 1),),
    "uyvy422": ((4, 1),),
    "gray": ((2, 1),),
    "bgra": ((8, 1),),
    "rgba": ((8, 1),),
    "argb": ((8, 1),),
    "abgr": ((8, 1),),
}
"""Of each plane: bytes across for two pixels, and what the height is divided by."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A picture copied out of Qt's memory: rows of each plane with their stride in bytes."""

    format: str
    width: int
    height: int
    planes: tuple[tuple[bytes, int], ...]
    capture_ns: int

    def to_frame(self) -> av.VideoFrame:
        """The same as a frame of PyAV."""
        frame = av.VideoFrame(self.width, self.height, self.format)
        shapes = _PLANES[self.format]
        for index, (across, divisor) in enumerate(shapes):
            data, stride = self.planes[index]
            lines, bytes_wide = -(-self.height // divisor), -(-self.width * across // 2)
            source = np.frombuffer(data, np.uint8)[: lines * stride].reshape(lines, stride)
            np.copyto(view_rows(frame, index)[:lines, :bytes_wide], source[:, :bytes_wide])
        return frame


class Camera:
    """A camera by its id (empty: the default one). Every method is thread-safe.

    `fault` is (code, words) once it failed; then it gives no more pictures.
    """

    def __init__(self, wanted: str, width: int, height: int, fps: int) -> None:
        self.fault: tuple[str, str] | None = None
        self._newest: Snapshot | None = None
        self._come = threading.Condition()
        self._closed = False
        self._qt: QtCamera | None = None
        if not call_in_qt(lambda: self._open(wanted, width, height, fps)):
            self.fault = ("none", "There is no camera here.")

    def take(self, seconds: float) -> Snapshot | None:
        """The next picture, or None when none comes in time."""
        with self._come:
            self._come.wait_for(lambda: self._newest is not None or self.fault is not None, seconds)
            snapshot, self._newest = self._newest, None
            return snapshot

    def close(self) -> None:
        """Close it soon."""
        self._closed = True
        call_in_qt(self._shut)

    def give(self, frame: QVideoFrame) -> None:
        """In the Qt thread: a picture came."""
        from folkmoot.media.devices.qt_camera import copy_frame

        snapshot = copy_frame(frame, time.monotonic_ns())
        if snapshot is None:
            self.fail("refused", "The camera gives pictures that cannot be read.")
            return
        with self._come:
            self._newest = snapshot
            self._come.notify()

    def fail(self, code: str, words: str) -> None:
        """In the Qt thread: it does not work."""
        with self._come:
            self.fault = self.fault or (code, words)
            self._come.notify()

    def _open(self, wanted: str, width: int, height: int, fps: int) -> None:
        from folkmoot.media.devices.qt_camera import QtCamera

        if not self._closed:
            self._qt = QtCamera(self, wanted, width, height, fps)

    def _shut(self) -> None:
        if self._qt is not None:
            self._qt.close()
            self._qt = None
