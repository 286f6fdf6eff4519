"""The socket over which a second start hands its link over: bounded, checked, of this account."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from folkmoot.domain.urls import MAX_URL_LENGTH
from folkmoot.system import activation
from folkmoot.system.activation import MAX_CALLERS, Activation, ask_to_come_forward

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="speaks to a Unix socket")
LINK = "folkmoot://join/Ab-_"
_ASK = (
    "import sys, pathlib; from folkmoot.system.activation import ask_to_come_forward as ask;"
    "sys.exit(0 if ask(pathlib.Path(sys.argv[1]), sys.argv[2]) else 9)"
)

_LET_GO = """
import pathlib, socket, sys
from PySide6.QtCore import QCoreApplication, QEventLoop, QTimer
from folkmoot.system import activation

application, folder = QCoreApplication([]), pathlib.Path(sys.argv[1])
listening = activation.Activation(folder, print)
caller = socket.socket(socket.AF_UNIX)
caller.connect(activation._name(folder))
while not listening._callers:
    application.processEvents()
listening.close()
del listening
loop = QEventLoop()
QTimer.singleShot(0, loop.quit)
loop.exec()
"""
"""A socket that is on its way out when nobody holds the window's end any more."""


class Listening:
    """A window's end of the socket, and callers that wait in threads of their own."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        self.opened: list[str] = []
        self.folder = folder
        self.activation = Activation(folder, self.opened.append)
        self._qtbot = qtbot
        self._threads = ThreadPoolExecutor(16)

    def answer(self, call: Callable[[], object]) -> object:
        """What a caller got, while the window goes on."""
        return self.wait(self._threads.submit(call))

    def ask(self, link: str = "") -> bool:
        """Whether the window took it from a second start. That is a process, as it is in life:
        sockets of Qt in a thread beside the window's are not what is shipped, and no safe thing."""
        command = [sys.executable, "-c", _ASK, str(self.folder), link]
        environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        done = self.answer(lambda: subprocess.run(command, env=environ, timeout=60, check=False))
        assert isinstance(done, subprocess.CompletedProcess)
        assert done.returncode in (0, 9)
        return bool(done.returncode == 0)

    def wait(self, future: Future[object]) -> object:
        self._qtbot.waitUntil(future.done, timeout=60_000)
        return future.result()

    def connect(self) -> socket.socket:
        caller = socket.socket(socket.AF_UNIX)
        caller.settimeout(8)
        caller.connect(activation._name(self.folder))
        return caller

    def say(self, *parts: bytes) -> bytes:
        """Say this and nothing more; everything that comes back until the window hangs up."""

        def call() -> bytes:
            with self.connect() as caller:
                try:
                    for part in parts:
                        caller.sendall(part)
                    return caller.recv(100)
                except (ConnectionError, BrokenPipeError):
                    return b""

        answer = self.answer(call)
        assert isinstance(answer, bytes)
        return answer

    def close(self) -> None:
        self.activation.close()
        self._threads.shutdown()


@pytest.fixture
def listening(qtbot: QtBot, tmp_path: Path) -> Iterator[Listening]:
    made = Listening(qtbot, tmp_path)
    yield made
    made.close()


def test_a_second_start_raises_the_window_or_hands_its_link_over(listening: Listening) -> None:
    assert listening.ask() is True
    assert listening.ask(LINK) is True
    longest = "folkmoot://" + "x" * (MAX_URL_LENGTH - 11)
    assert listening.ask(longest) is True
    assert listening.opened == ["", LINK, longest]


def test_a_window_of_the_same_thread_answers_if_it_is_let(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the self-test asks: it has no other thread in which Qt may be used."""
    monkeypatch.setattr(activation, "LINE_MS", 60_000)
    turn = QApplication.processEvents
    assert ask_to_come_forward(listening.folder, LINK, meanwhile=turn) is True
    assert listening.opened == [LINK]


def test_a_window_of_the_same_thread_that_is_not_let_does_not(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activation, "LINE_MS", 200)
    assert ask_to_come_forward(listening.folder, LINK) is False
    assert listening.opened == []


def test_nobody_listens_on_a_profile_without_a_window(tmp_path: Path) -> None:
    assert ask_to_come_forward(tmp_path, LINK) is False


@pytest.mark.parametrize(
    "said",
    [
        b"\n",
        b"raise \n",
        b"open \n",
        b"open https://example.org\n",
        b"open folkmoot://a b\n",
        b"open folkmoot://a\x00\n",
        b"open folkmoot://\xff\xfe\n",
        b"open folkmoot://a --profile /tmp\n",
        b"\x00" * 100 + b"\n",
        b"GET / HTTP/1.1\r\n",
        b"open folkmoot://" + b"x" * MAX_URL_LENGTH + b"\n",
        b"x" * 100_000,
        b"x" * 100_000 + b"\n",
    ],
)
def test_garbage_is_hung_up_on_at_once_and_does_nothing(
    listening: Listening, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(activation, "LINE_MS", 60_000)
    assert listening.say(said) == b""
    assert listening.opened == []
    assert listening.ask(LINK) is True


def test_a_line_may_come_in_parts_and_only_the_first_counts(listening: Listening) -> None:
    assert listening.say(b"op", b"en ", LINK.encode(), b"\n") == b"ok\n"
    assert listening.say(b"raise\nopen folkmoot://second\n") == b"ok\n"
    assert listening.opened == [LINK, ""]


def test_half_a_line_is_dropped_in_the_end(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activation, "LINE_MS", 50)
    assert listening.say(b"open folkmoot://half") == b""
    assert listening.opened == []


def test_callers_that_say_nothing_do_not_keep_others_out(listening: Listening) -> None:
    silent = [listening.connect() for _ in range(3 * MAX_CALLERS)]
    assert listening.ask(LINK) is True
    assert len(listening.activation._callers) <= MAX_CALLERS
    for caller in silent:
        caller.close()


def test_a_caller_that_hangs_up_early_is_nothing(listening: Listening) -> None:
    for said in (b"", b"raise", b"open folk"):
        with listening.connect() as caller:
            caller.sendall(said)
    assert listening.ask() is True
    assert listening.opened == [""]


def test_the_windows_end_may_be_let_go_while_a_caller_is_there(tmp_path: Path) -> None:
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _LET_GO, str(tmp_path)]
    assert subprocess.run(command, env=environ, timeout=60, check=False).returncode == 0


def test_what_a_killed_window_left_is_replaced(qtbot: QtBot, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(activation._name(tmp_path))
    assert ask_to_come_forward(tmp_path) is False
    made = Listening(qtbot, tmp_path)
    assert made.ask() is True
    made.close()
    assert not os.path.lexists(activation._name(tmp_path))


def test_only_this_account_may_open_the_socket(listening: Listening) -> None:
    place = Path(activation._name(listening.folder))
    assert place.parent == listening.folder
    assert stat.S_IMODE(place.stat().st_mode) & 0o077 == 0


def test_a_profile_far_down_is_reached_too(qtbot: QtBot, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    made = Listening(qtbot, deep)
    assert made.ask(LINK) is True
    assert made.opened == [LINK]
    made.close()


def test_a_socket_of_somebody_else_gets_no_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(activation._name(tmp_path))
        other.listen()
        own = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: own + 1)
        assert ask_to_come_forward(tmp_path, LINK) is False
        caller, _ = other.accept()
        with caller:
            caller.settimeout(5)
            assert caller.recv(100) == b""


def test_a_window_that_dies_before_its_answer_has_not_taken_the_link(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dying:
        dying.bind(activation._name(tmp_path))
        dying.listen()

        def die() -> None:
            caller, _ = dying.accept()
            caller.recv(100)
            caller.close()

        thread = threading.Thread(target=die)
        thread.start()
        assert ask_to_come_forward(tmp_path, LINK) is False
        thread.join()
