"""The screen is locked: said on buses of the test's own."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from jeepney import DBusAddress, Message, MessageType, new_signal
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from folkmoot.media.capture import lock
from folkmoot.media.capture.input import ShareInput
from folkmoot.media.capture.lock import LockWatch, session_object
from folkmoot.media.capture.source import ShareEnded
from folkmoot.media.capture.x11.screens import ScreenSource
from folkmoot.media.capture.x11.window_source import open_window
from folkmoot.services.media_port import ShareChanged, SharePlan
from integration.capture.xdesk import GREEN, Clock, Program, display, until

pytestmark = pytest.mark.needs("dbus-daemon")
_SAVER = DBusAddress("/org/freedesktop/ScreenSaver", interface="org.freedesktop.ScreenSaver")
_SESSION = "org.freedesktop.login1.Session"


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    address = f"unix:path={tmp_path / 'bus'}"
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address", f"--address={address}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert daemon.stdout is not None
    assert daemon.stdout.readline().startswith("unix:")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    monkeypatch.setenv("XDG_SESSION_ID", "2")
    yield daemon
    daemon.terminate()
    daemon.wait(30)
    daemon.stdout.close()


@pytest.fixture
def bus(daemon: subprocess.Popen[str]) -> str:
    return os.environ["DBUS_SESSION_BUS_ADDRESS"]


@pytest.fixture
def busy(daemon: subprocess.Popen[str]) -> Iterator[None]:
    """The bus stands still for more than a second, as on a busy computer."""
    daemon.send_signal(signal.SIGSTOP)
    later = threading.Timer(1.5, lambda: daemon.send_signal(signal.SIGCONT))
    later.start()
    yield
    later.join()


@pytest.fixture
def desktop(bus: str) -> Iterator[DBusConnection]:
    connection = open_dbus_connection(bus, auth_timeout=30)
    yield connection
    connection.close()


class Locks:
    """What a watch told, with waiting."""

    def __init__(self) -> None:
        self._told = threading.Semaphore(0)
        self.watch = LockWatch(self._told.release)

    def wait(self, seconds: float = 30.0) -> bool:
        """Whether a lock is told in time."""
        return self._told.acquire(timeout=seconds)


@pytest.fixture
def locks(bus: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Locks]:
    answers: list[Message] = []
    says_locked = lock.says_locked

    def note(message: Message) -> bool:
        if message.header.message_type is MessageType.method_return:
            answers.append(message)
        return says_locked(message)

    monkeypatch.setattr(lock, "says_locked", note)
    locks = Locks()
    # The bus answers each rule once it is in force. A signal of ours, said until somebody hears it,
    # might still be on its way in the middle of a test.
    until(lambda: len(answers) == len(lock._SAVER_RULES) + 2, "somebody listens")
    yield locks
    locks.watch.close()


def _saver(active: bool) -> Message:
    return new_signal(_SAVER, "ActiveChanged", "b", (active,))


def _hint(number: str, *, locked: bool) -> Message:
    return _property(number, "LockedHint", value=locked)


def _property(number: str, name: str, *, value: bool) -> Message:
    where = DBusAddress(session_object(number), interface="org.freedesktop.DBus.Properties")
    body: tuple[object, ...] = (_SESSION, {name: ("b", value)}, [])
    return new_signal(where, "PropertiesChanged", "sa{sv}as", body)


def _lock(number: str) -> Message:
    return new_signal(DBusAddress(session_object(number), interface=_SESSION), "Lock")


@pytest.mark.parametrize(
    ("idle", "locked"),
    [
        (_saver(False), _saver(True)),
        (_lock("3"), _lock("2")),
        (_hint("3", locked=True), _hint("2", locked=True)),
        (_hint("2", locked=False), _hint("2", locked=True)),
        (_property("2", "Active", value=True), _property("2", "Active", value=False)),
    ],
)
def test_a_lock_of_this_session_is_heard_and_nothing_else(
    desktop: DBusConnection, locks: Locks, idle: Message, locked: Message
) -> None:
    desktop.send(idle)
    assert not locks.wait(0.2)
    desktop.send(locked)
    assert locks.wait()


def test_a_bus_that_stands_still_for_a_moment_is_listened_to(
    busy: None, locks: Locks, desktop: DBusConnection
) -> None:
    desktop.send(_saver(True))
    assert locks.wait()


def test_a_watch_that_is_closed_ends_its_threads(locks: Locks) -> None:
    assert _watching()
    locks.watch.close()
    until(lambda: not _watching(), "the threads end")
    assert not _watching()


def _watching() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "lock watch"]


def test_without_a_bus_nothing_is_heard_and_nothing_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "nonsense")
    locks = Locks()
    until(lambda: not _watching(), "the threads end")
    assert not locks.wait(0)


@pytest.mark.needs("Xvfb")
@pytest.mark.parametrize("source", ["screen", "window"])
def test_a_locker_that_says_nothing_is_known_by_its_window(source: str) -> None:
    clock = Clock()
    with display("320x200") as name, Program(name, (0, 0, 90, 80), GREEN) as program:
        program.show()
        with Program(name, (0, 0, 320, 200), override=True) as locker:
            locker.name("a game")
            locker.show()
            window = f"window:{program.window:x}"
            shared = open_window(name, window) if source == "window" else ScreenSource(name, "")
            shared.attend(clock.later())
            locker.name("i3lock", "i3lock")
            with pytest.raises(ShareEnded) as ended:
                shared.attend(clock.later())
        shared.close()
    assert ended.value.code == "locked"


@pytest.mark.parametrize(
    ("number", "name"), [("2", "_32"), ("c1", "c1"), ("12", "_312"), ("a-b", "a_2db")]
)
def test_sessions_are_named_as_systemd_does(number: str, name: str) -> None:
    assert session_object(number) == f"/org/freedesktop/login1/session/{name}"


@pytest.mark.needs("Xvfb")
@pytest.mark.parametrize("paused", [False, True])
def test_a_lock_ends_the_share_of_a_screen(
    desktop: DBusConnection, monkeypatch: pytest.MonkeyPatch, *, paused: bool
) -> None:
    changes: list[ShareChanged] = []
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    with display("320x200") as name, Program(name, (0, 0, 90, 80), GREEN) as program:
        program.show()
        monkeypatch.setenv("DISPLAY", name)
        share = ShareInput(
            frame=lambda *_: None,
            changed=changes.append,
            sources=lambda _: None,
            thumbnail=lambda *_: None,
            use_devices=True,
        )
        try:
            share.set_plan(SharePlan(source="screen", paused=paused))
            until(lambda: bool(changes), "it is shared")

            def is_ended() -> bool:
                # the bus may not be listened to yet when the first one is said
                desktop.send(_saver(True))
                return changes[-1].state == "ended"

            until(is_ended, "the share ends")
        finally:
            share.close()
    assert changes[0].state == ("paused" if paused else "sharing")
    assert (changes[-1].code, changes[-1].words) == ("locked", "The screen was locked.")
