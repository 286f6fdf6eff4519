"""The side of Qt's screen and window capture that lives in the Qt thread; nothing here is called
from another one.

Owns the capture session. Refuses to choose where the desktop has a picker of its own: there Qt asks
it (the portal of Wayland).
"""

from __future__ import annotations

import contextlib
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QGuiApplication, QImage, QScreen
from PySide6.QtMultimedia import (
    QCapturableWindow,
    QMediaCaptureSession,
    QScreenCapture,
    QVideoFrame,
    QVideoFrameFormat,
    QVideoSink,
    QWindowCapture,
)

from folkmoot.media.capture.boxes import Box, clip
from folkmoot.services.media_port import SourceRow

SCREEN, WINDOW = "screen:", "window:"
_MAX_SIDE = 8192
_NAME = 500
_Pixel = QVideoFrameFormat.PixelFormat
_PACKED = (_Pixel.Format_BGRA8888, _Pixel.Format_BGRX8888)
"""The formats that need no conversion."""


class Taker(Protocol):
    """Who gets the pictures and the end of a capture."""

    def wants(self) -> bool: ...

    def give(self, pixels: NDArray[np.uint8]) -> None: ...

    def fail(self, code: str, words: str) -> None: ...


class QtScreen(QObject):
    """Captures `source_id`, or (`region`) the screen that holds the middle of a region, or what the
    desktop's picker gives (an empty id), and hands it to `taker` until `close`."""

    def __init__(self, taker: Taker, source_id: str, region: Box | None) -> None:
        super().__init__()
        self._taker = taker
        self._capture: QScreenCapture | QWindowCapture | None = None
        self._cut: Box | None = None
        self._session = QMediaCaptureSession(self)
        self._sink = QVideoSink(self)
        self._session.setVideoSink(self._sink)
        self._sink.videoFrameChanged.connect(self._take)
        if source_id.startswith(WINDOW):
            self._begin_window(source_id)
        else:
            self._begin_screen(source_id, region)

    def close(self) -> None:
        """Let it go."""
        with contextlib.suppress(RuntimeError):
            self._sink.videoFrameChanged.disconnect(self._take)
        if self._capture is not None:
            self._capture.stop()
        self.deleteLater()

    def _begin_window(self, source_id: str) -> None:
        windows = dict(list_windows())
        if source_id not in windows:
            self._taker.fail("none", "The window is not there.")
            return
        capture = QWindowCapture(self)
        capture.setWindow(windows[source_id])
        capture.errorOccurred.connect(self._fail)
        self._session.setWindowCapture(capture)
        self._capture = capture
        capture.start()

    def _begin_screen(self, source_id: str, region: Box | None) -> None:
        capture = QScreenCapture(self)
        if source_id or region is not None:
            screen = _find_screen(source_id, region)
            if screen is None:
                self._taker.fail("none", "This part of the screen is not there.")
                return
            capture.setScreen(screen)
            if region is not None:
                place = place_of(screen)
                inside = clip(region, place)
                if inside is None:  # never more than was chosen
                    self._taker.fail("none", "This part of the screen is not there.")
                    return
                self._cut = inside[0] - place[0], inside[1] - place[1], inside[2], inside[3]
        capture.errorOccurred.connect(self._fail)
        self._session.setScreenCapture(capture)
        self._capture = capture
        capture.start()

    @Slot(QVideoFrame)
    def _take(self, frame: QVideoFrame) -> None:
        if not frame.isValid() or not self._taker.wants():
            return
        if max(frame.width(), frame.height()) > _MAX_SIDE:
            self._taker.fail("failed", "This screen is too large.")
            return
        if frame.pixelFormat() in _PACKED and frame.map(QVideoFrame.MapMode.ReadOnly):
            try:
                pixels = _view(frame.bits(0), frame.bytesPerLine(0), frame.width(), frame.height())
                self._give(pixels)
            finally:
                frame.unmap()
            return
        image = frame.toImage().convertToFormat(QImage.Format.Format_RGB32)
        if not image.isNull():
            bits = image.constBits()
            self._give(_view(bits, image.bytesPerLine(), image.width(), image.height()))

    def _give(self, pixels: NDArray[np.uint8]) -> None:
        if self._cut is not None:
            left, top, width, height = self._cut
            pixels = pixels[top : top + height, left : left + width]
        if pixels.size:
            self._taker.give(pixels)

    @Slot()
    def _fail(self, *reason: object) -> None:
        error = reason[0] if reason else None
        if error in (QScreenCapture.Error.NoError, QWindowCapture.Error.NoError):
            return
        words = str(reason[1]) if len(reason) > 1 and reason[1] else "Sharing ended."
        gone = error in (QScreenCapture.Error.NotFound, QWindowCapture.Error.NotFound)
        self._taker.fail("closed" if gone else "refused", words[:500])


def _view(data: object, stride: int, width: int, height: int) -> NDArray[np.uint8]:
    rows = np.frombuffer(data, np.uint8)[: stride * height].reshape(height, stride)  # type: ignore[call-overload]
    view: NDArray[np.uint8] = rows[:, : width * 4].reshape(height, width, 4)
    return view


def place_of(screen: QScreen) -> Box:
    """Where a screen is among all, in its own pixels."""
    shape, scale = screen.geometry(), screen.devicePixelRatio()
    sides = shape.left(), shape.top(), shape.width(), shape.height()
    left, top, width, height = (round(side * scale) for side in sides)
    return left, top, width, height


def _find_screen(source_id: str, region: Box | None) -> QScreen | None:
    for screen in QGuiApplication.screens():
        if region is None:
            if source_id == SCREEN + screen.name():
                return screen
        else:
            left, top, width, height = place_of(screen)
            middle = region[0] + region[2] // 2, region[1] + region[3] // 2
            if left <= middle[0] < left + width and top <= middle[1] < top + height:
                return screen
    return None


_named: dict[str, QCapturableWindow] = {}
"""The windows that were listed last. Used in the Qt thread only."""


def list_windows() -> list[tuple[str, QCapturableWindow]]:
    """(id, window); Qt tells only titles, so the id is the first title, counted where it comes
    twice. A window keeps its id while it is there: of two with one title, which change places when
    one is raised, never the other is meant."""
    windows = [one for one in QWindowCapture.capturableWindows() if one.isValid()]
    names = [_name_of(window) for window in windows]
    taken = {name for name in names if name}
    found: list[tuple[str, QCapturableWindow]] = []
    for name, window in zip(names, windows, strict=True):
        title = window.description()[:_NAME]
        fresh = (f"{WINDOW}{title}{'#' * times}" for times in range(64))
        id_ = name or next((each for each in fresh if each not in taken), None)
        if title and id_ is not None:
            taken.add(id_)
            found.append((id_, window))
    _named.clear()
    _named.update(found)
    return found


def _name_of(window: QCapturableWindow) -> str | None:
    return next((name for name, known in _named.items() if known == window), None)


def list_rows() -> list[SourceRow]:
    """Screens and windows that can be shared."""
    rows: list[SourceRow] = []
    for screen in QGuiApplication.screens():
        width, height = place_of(screen)[2:]
        rows.append((SCREEN + screen.name(), "screen", screen.name()[:_NAME], "", width, height))
    rows += [
        (name, "window", window.description()[:_NAME], "", 0, 0) for name, window in list_windows()
    ]
    return rows
