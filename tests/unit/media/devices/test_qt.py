"""Calls into the Qt thread, and cameras as far as they go without one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PySide6.QtCore import QSize, QThread
from PySide6.QtMultimedia import QVideoFrame, QVideoFrameFormat
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from folkmoot.media.devices.camera import Camera
from folkmoot.media.devices.planes import view_plane
from folkmoot.media.devices.qt import DeviceWatcher, attach_qt, call_in_qt
from folkmoot.media.devices.qt_camera import choose_format, copy_frame
from folkmoot.services.media_port import DevicesListed

WAIT_MS = 30_000


@pytest.fixture
def attached(qapp: QApplication) -> Iterator[None]:
    detach = attach_qt()
    yield
    detach()


@pytest.mark.usefixtures("attached")
def test_calls_from_another_thread_come_in_order_in_the_qt_thread(
    qtbot: QtBot, qapp: QApplication
) -> None:
    seen: list[tuple[int, bool]] = []

    def post() -> None:
        for number in range(200):
            call_in_qt(lambda number=number: seen.append((number, _is_qt(qapp))))  # type: ignore[misc]

    thread = threading.Thread(target=post)
    thread.start()
    qtbot.waitUntil(lambda: len(seen) == 200, timeout=WAIT_MS)
    thread.join()
    assert seen == [(number, True) for number in range(200)]


def _is_qt(application: QApplication) -> bool:
    return QThread.currentThread() == application.thread()


@pytest.mark.usefixtures("attached")
def test_a_call_that_fails_takes_no_other_with_it(
    qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[int] = []
    call_in_qt(lambda: 1 // 0)
    call_in_qt(lambda: seen.append(1))
    qtbot.waitUntil(lambda: seen == [1], timeout=WAIT_MS)
    assert "a call in the Qt thread failed" in caplog.text


def test_without_a_qt_thread_a_call_is_refused() -> None:
    assert call_in_qt(lambda: None) is False


def test_without_a_qt_thread_there_is_no_camera() -> None:
    camera = Camera("", 640, 360, 30)
    assert camera.fault is not None
    assert camera.fault[0] == "none"
    camera.close()


@pytest.mark.usefixtures("attached")
def test_a_camera_that_is_not_there_is_gone(qtbot: QtBot) -> None:
    camera = Camera("no such camera", 640, 360, 30)
    qtbot.waitUntil(lambda: camera.fault is not None, timeout=WAIT_MS)
    assert camera.fault is not None
    assert camera.fault[0] == "gone"
    assert camera.take(0.0) is None
    camera.close()


@pytest.mark.qt_log_ignore("PulseAudioService: .*")  # there may be no sound system here
def test_the_devices_are_listed_at_once(qapp: QApplication) -> None:
    told: list[DevicesListed] = []
    watcher = DeviceWatcher(told.append)
    watcher.look()
    assert len(told) == 1
    watcher.close()


@pytest.mark.parametrize(
    ("pixel", "name"),
    [
        (QVideoFrameFormat.PixelFormat.Format_YUV420P, "yuv420p"),
        (QVideoFrameFormat.PixelFormat.Format_NV12, "nv12"),
        (QVideoFrameFormat.PixelFormat.Format_YUYV, "yuyv422"),
        (QVideoFrameFormat.PixelFormat.Format_BGRA8888, "bgra"),
    ],
)
def test_a_picture_is_copied_out_of_qt(
    qapp: QApplication, pixel: QVideoFrameFormat.PixelFormat, name: str
) -> None:
    source = QVideoFrame(QVideoFrameFormat(QSize(70, 50), pixel))
    assert source.map(QVideoFrame.MapMode.WriteOnly)
    for plane in range(source.planeCount()):
        bits = np.frombuffer(cast(Any, source.bits(plane)), np.uint8)
        bits[:] = 128 if plane or name == "yuyv422" else np.arange(len(bits)) % 50 + 60
    source.unmap()
    snapshot = copy_frame(source, 42)
    assert snapshot is not None
    assert (snapshot.format, snapshot.width, snapshot.height, snapshot.capture_ns) == (
        name,
        70,
        50,
        42,
    )
    frame = snapshot.to_frame()
    data, stride = snapshot.planes[0]
    wide = {"yuyv422": 140, "bgra": 280}.get(name, 70)
    rows = np.frombuffer(data, np.uint8)[: 50 * stride].reshape(50, stride)[:, :wide]
    if name in ("yuv420p", "nv12"):
        assert np.array_equal(view_plane(frame, 0), rows)
    assert frame.reformat(format="yuv420p").width == 70


def test_the_smallest_format_that_covers_is_chosen() -> None:
    def made(width: int, height: int, fps: float) -> Any:
        return SimpleNamespace(resolution=lambda: QSize(width, height), maxFrameRate=lambda: fps)

    formats = [made(1920, 1080, 5), made(320, 240, 30), made(1280, 720, 30), made(1920, 1080, 30)]
    assert choose_format(formats, 1280, 720, 30) is formats[2]
    assert choose_format(formats, 320, 180, 15) is formats[1]
    assert choose_format(formats[:2], 1280, 720, 30) is formats[1]
    assert choose_format([], 1280, 720, 30) is None
