"""The side of a camera that lives in the Qt thread. Nothing here is called from another one."""

from __future__ import annotations

import contextlib
from typing import Protocol

from PySide6.QtCore import QObject, Slot
from PySide6.QtMultimedia import (
    QCamera,
    QCameraDevice,
    QCameraFormat,
    QMediaCaptureSession,
    QMediaDevices,
    QVideoFrame,
    QVideoFrameFormat,
    QVideoSink,
)

from folkmoot.media.devices.camera import Snapshot

_Pixel = QVideoFrameFormat.PixelFormat
_NAMES = {
    _Pixel.Format_YUV420P: "yuv420p",
    _Pixel.Format_YUV422P: "yuv422p",
    _Pixel.Format_NV12: "nv12",
    _Pixel.Format_NV21: "nv21",
    _Pixel.Format_YUYV: "yuyv422",
    _Pixel.Format_UYVY: "uyvy422",
    _Pixel.Format_Y8: "gray",
    _Pixel.Format_BGRA8888: "bgra",
    _Pixel.Format_BGRX8888: "bgra",
    _Pixel.Format_RGBA8888: "rgba",
    _Pixel.Format_RGBX8888: "rgba",
    _Pixel.Format_ARGB8888: "argb",
    _Pixel.Format_XRGB8888: "argb",
    _Pixel.Format_ABGR8888: "abgr",
    _Pixel.Format_XBGR8888: "abgr",
}
_MAX_SIDE = 8192


class Taker(Protocol):
    """Who gets the pictures and the failure of a camera."""

    def give(self, frame: QVideoFrame) -> None: ...

    def fail(self, code: str, words: str) -> None: ...


class QtCamera(QObject):
    """Opens a camera and hands its pictures to `taker`, from the making until `close`."""

    def __init__(self, taker: Taker, wanted: str, width: int, height: int, fps: int) -> None:
        super().__init__()
        self._taker = taker
        device = find_camera(wanted)
        if device is None:
            code = "gone" if wanted else "none"
            taker.fail(code, "The camera is not there." if wanted else "There is no camera here.")
            return
        self._id = device.id()
        self._camera = QCamera(device, self)
        chosen = choose_format(device.videoFormats(), width, height, fps)
        if chosen is not None:
            self._camera.setCameraFormat(chosen)
        self._sink = QVideoSink(self)
        self._session = QMediaCaptureSession(self)
        self._session.setCamera(self._camera)
        self._session.setVideoSink(self._sink)
        self._devices = QMediaDevices(self)
        self._sink.videoFrameChanged.connect(self._take)
        self._camera.errorOccurred.connect(self._fail)
        self._devices.videoInputsChanged.connect(self._look)
        self._camera.start()

    def close(self) -> None:
        """Let the camera go."""
        camera = getattr(self, "_camera", None)
        if camera is not None:
            for signal, slot in (
                (self._sink.videoFrameChanged, self._take),
                (camera.errorOccurred, self._fail),
                (self._devices.videoInputsChanged, self._look),
            ):
                with contextlib.suppress(RuntimeError):
                    signal.disconnect(slot)
            camera.stop()
        self.deleteLater()

    @Slot(QVideoFrame)
    def _take(self, frame: QVideoFrame) -> None:
        if frame.isValid():
            self._taker.give(frame)

    @Slot(QCamera.Error, str)
    def _fail(self, error: QCamera.Error, words: str) -> None:
        if error != QCamera.Error.NoError:
            said = f" ({words})" if words else ""
            self._taker.fail("busy", f"The camera cannot be used; another program may{said}."[:500])

    @Slot()
    def _look(self) -> None:
        if all(device.id() != self._id for device in QMediaDevices.videoInputs()):
            self._taker.fail("gone", "The camera was unplugged.")


def find_camera(wanted: str) -> QCameraDevice | None:
    """The camera with this id, the default one for an empty id, None if it is not there."""
    if not wanted:
        device = QMediaDevices.defaultVideoInput()
        return None if device.isNull() else device
    found = (each for each in QMediaDevices.videoInputs() if _name(each) == wanted)
    return next(found, None)


def _name(device: QCameraDevice) -> str:
    return device.id().toStdString()


def choose_format(
    formats: list[QCameraFormat], width: int, height: int, fps: int
) -> QCameraFormat | None:
    """The smallest that covers the wanted size and rate; else the nearest one."""

    def cost(each: QCameraFormat) -> tuple[float, float, float]:
        size = each.resolution()
        lacking = max(0, width - size.width()) + max(0, height - size.height())
        slow = max(0.0, fps - each.maxFrameRate())
        return slow > fps / 2, lacking + slow * 20, size.width() * size.height()

    return min(formats, key=cost, default=None)


def copy_frame(frame: QVideoFrame, capture_ns: int) -> Snapshot | None:
    """Copy a picture out of Qt's memory; None if its format is not known or it cannot be read."""
    name = _NAMES.get(frame.pixelFormat())
    width, height = frame.width(), frame.height()
    if name is None or not (2 <= width <= _MAX_SIDE and 2 <= height <= _MAX_SIDE):
        image = frame.toImage()
        if image.isNull() or max(image.width(), image.height()) > _MAX_SIDE:
            return None
        image = image.convertToFormat(image.Format.Format_RGB32)
        planes = ((bytes(image.constBits()), image.bytesPerLine()),)
        return Snapshot("bgra", image.width(), image.height(), planes, capture_ns)
    if not frame.map(QVideoFrame.MapMode.ReadOnly):
        return None
    try:
        rows = tuple(
            (bytes(frame.bits(plane)), frame.bytesPerLine(plane))
            for plane in range(frame.planeCount())
        )
    finally:
        frame.unmap()
    return Snapshot(name, width, height, rows, capture_ns)
