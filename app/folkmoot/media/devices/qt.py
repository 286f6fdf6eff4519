"""The Qt thread of the media process: its application object, calls into it, and the device list.

Python's garbage collector is taken over here: let loose it would delete Qt objects in whichever
thread happens to allocate. Importing this module loads no Qt. Refuses a second application object.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from folkmoot.media.devices.pulse import PulseWatch
from folkmoot.media.devices.urgent import hurry
from folkmoot.services.media_port import DeviceRow, DevicesListed

if TYPE_CHECKING:
    from PySide6.QtCore import QCoreApplication
    from PySide6.QtMultimedia import QAudioDevice

_COLLECT_MS = 1000
_YOUNG = 5_000
_MAX_ROWS = 64
_MAX_NAME = 512
_QUIET = "qt.multimedia.*=false;qt.qpa.*=false;default.warning=false"
"""What Qt says about a missing sound system is told as a fault; a handler of messages in Python
would need the interpreter while Qt waits for its own threads."""

_log = logging.getLogger(__name__)


class _Mail:
    """Calls that wait for the Qt thread; it is woken by an event of the application."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.calls: deque[Callable[[], object]] = deque()
        self.wake: Callable[[], None] | None = None

    def deliver(self) -> None:
        """In the Qt thread: make the calls. A call that fails takes no other with it."""
        while self.calls:
            call = self.calls.popleft()
            try:
                call()
            except Exception:  # noqa: BLE001 - one broken call must not end sound and pictures
                _log.exception("a call in the Qt thread failed")


_mail = _Mail()


def call_in_qt(fn: Callable[[], object]) -> bool:
    """Have `fn` called in the Qt thread soon, in order. From any thread; never blocks.

    Returns False, and drops `fn`, where no Qt thread runs.
    """
    with _mail.lock:
        if _mail.wake is None:
            return False
        _mail.calls.append(fn)
        if len(_mail.calls) == 1:
            _mail.wake()
        return True


def attach_qt() -> Callable[[], None]:
    """Make this thread, which has the application object, the one of `call_in_qt`.

    Returns a function that ends it again; calls that wait are dropped.
    """
    from folkmoot.media.devices.qt_mail import Postman

    postman = Postman(_mail.deliver)
    with _mail.lock:
        _mail.calls.clear()
        _mail.wake = postman.wake

    def detach() -> None:
        with _mail.lock:
            _mail.wake = None
            _mail.calls.clear()
        postman.close()

    return detach


def run_qt(begin: Callable[[], None]) -> None:
    """Run Qt in this thread (the main one) until `leave_qt`. `begin` is called in it first."""
    hurry()
    application = make_application()
    from PySide6.QtCore import QTimer

    gc.collect()
    gc.disable()
    gc.freeze()
    timer = QTimer(application, interval=_COLLECT_MS)
    timer.timeout.connect(_collect)
    timer.start()
    detach = attach_qt()
    call_in_qt(begin)
    try:
        application.exec()
    finally:
        detach()
        timer.stop()


def leave_qt() -> None:
    """End `run_qt`, from any thread, after the calls that wait."""
    call_in_qt(_quit)


def _quit() -> None:
    from PySide6.QtCore import QCoreApplication

    QCoreApplication.exit(0)


def _collect() -> None:
    if gc.get_count()[0] > _YOUNG:
        gc.collect(1)


def make_application() -> QCoreApplication:
    """The application object: with a display if one is there, else without.

    Sets what keeps Qt's multimedia quiet and away from what is not there.
    """
    os.environ.setdefault("QT_LOGGING_RULES", _QUIET)
    from PySide6.QtCore import QCoreApplication

    existing = QCoreApplication.instance()
    if existing is not None:
        return existing
    if _has_display():
        from PySide6.QtGui import QGuiApplication

        application: QCoreApplication = QGuiApplication(["folkmoot-media"])
        QGuiApplication.setQuitOnLastWindowClosed(False)
        return application
    return QCoreApplication(["folkmoot-media"])


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(n) for n in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"))


_watches: list[PulseWatch] = []


def without_gone(devices: Sequence[QAudioDevice]) -> list[QAudioDevice]:
    """What is really there of `devices`: Qt tells no removal under PulseAudio."""
    if _watches and _watches[-1].is_lost:
        return []
    names = _watches[-1].names if _watches else None
    if names is None:
        return list(devices)
    there = [each for each in devices if each.id().toStdString() in names]
    return there or list(devices)  # Qt speaks of other devices than PulseAudio


class DeviceWatcher:
    """Tells which devices there are: at once, and at each change. Lives in the Qt thread."""

    def __init__(self, changed: Callable[[DevicesListed], None]) -> None:
        from PySide6.QtMultimedia import QMediaDevices

        self._changed = changed
        self._last: DevicesListed | None = None
        self._devices: QMediaDevices | None = QMediaDevices()
        self._devices.audioInputsChanged.connect(self.look)
        self._devices.audioOutputsChanged.connect(self.look)
        self._devices.videoInputsChanged.connect(self.look)
        _watches.append(PulseWatch(self._look_soon))
        self.look()

    def _look_soon(self) -> None:
        call_in_qt(self.look)

    def look(self) -> None:
        """Tell the list if it is another one than last time."""
        listed = list_devices()
        if listed != self._last:
            self._last = listed
            self._changed(listed)

    def close(self) -> None:
        """In the Qt thread: stop."""
        if self._devices is not None:
            _watches.pop().close()
            self._devices.deleteLater()
            self._devices = None


def list_devices() -> DevicesListed:
    """What is there now, in the Qt thread. Ids stay while a device is plugged in."""
    from PySide6.QtMultimedia import QMediaDevices

    return DevicesListed(
        microphones=_rows((d, d.isDefault()) for d in without_gone(QMediaDevices.audioInputs())),
        speakers=_rows((d, d.isDefault()) for d in without_gone(QMediaDevices.audioOutputs())),
        cameras=_rows((d, d.isDefault()) for d in QMediaDevices.videoInputs()),
    )


def _rows(devices: object) -> tuple[DeviceRow, ...]:
    rows: list[DeviceRow] = []
    for device, is_default in devices:  # type: ignore[attr-defined]
        name = device.id().toStdString()
        if 0 < len(name) <= _MAX_NAME and len(rows) < _MAX_ROWS:
            rows.append((name, device.description()[:_MAX_NAME] or name, is_default))
    return tuple(rows)
