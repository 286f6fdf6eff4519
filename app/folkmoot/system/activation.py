"""A second start of the window hands its link to the first one, over a local socket.

One line is said, ``raise`` or ``open`` and a link, and ``ok`` is answered; only this account may
connect. What comes is checked as if it came from the web. Refuses longer lines, and who is slow.
Which process comes first is decided by `system.instance`, never here.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from folkmoot.domain.errors import UserError
from folkmoot.domain.urls import MAX_URL_LENGTH, check_url

_RAISE, _OPEN, _TAKEN = b"raise", b"open ", b"ok\n"
_TIMEOUT_MS = 1000
_TURN_MS = 50
LINE_MS = 2000
"""So long a caller may take for its line."""
MAX_CALLERS = 8
MAX_LINE = len(_OPEN) + MAX_URL_LENGTH + 1
_NAME = "window"
_LONGEST_PATH = 88
"""A Unix socket's address holds 104 bytes where it holds least; Qt makes a longer one first."""


def ask_to_come_forward(
    folder: Path, link: str = "", meanwhile: Callable[[], None] = lambda: None
) -> bool:
    """Ask the window on the profile `folder`, and let it show `link`; whether it took that.

    Waits some seconds at most, and does `meanwhile` again and again: where the window that is asked
    is of this very thread, as in the self-test, it has to be let answer.
    """
    socket = QLocalSocket()
    socket.connectToServer(_name(folder))
    if not socket.waitForConnected(_TIMEOUT_MS) or not _is_ours(socket):
        return False
    _let_it_forward()
    socket.write((_OPEN + link.encode() if link else _RAISE) + b"\n")
    answer = b""
    until = time.monotonic() + LINE_MS / 1000
    while len(answer) < len(_TAKEN) and time.monotonic() < until:
        meanwhile()
        # In short turns: Python hears Ctrl+C, and lets other threads run, only between them. What
        # came `meanwhile` is waited for no more.
        if socket.bytesAvailable() or socket.waitForReadyRead(_TURN_MS):
            answer += bytes(socket.read(len(_TAKEN)).data())
        elif socket.state() == QLocalSocket.LocalSocketState.UnconnectedState:
            break
    socket.abort()
    return answer == _TAKEN


class Activation(QObject):
    """Listens for second starts, from creation until `close`."""

    def __init__(self, folder: Path, opened: Callable[[str], None]) -> None:
        """Call `opened` on this thread when the window is to be raised, with the link that it is to
        show, or an empty text."""
        super().__init__()
        self._opened = opened
        self._callers: list[QLocalSocket] = []
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._connected)
        name = _name(folder)
        # What a killed window left behind; the lock says that no other one is running.
        QLocalServer.removeServer(name)
        self._server.listen(name)

    def close(self) -> None:
        """Stop listening."""
        self._server.close()
        for caller in tuple(self._callers):
            caller.abort()

    def _connected(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            if len(self._callers) >= MAX_CALLERS:
                self._callers[0].abort()
            self._callers.append(socket)
            socket.setReadBufferSize(MAX_LINE)
            # By their methods, which Qt holds weakly. Lambdas would hold this object and let it go
            # while a socket is being deleted, and with it that socket would be deleted once more.
            socket.readyRead.connect(self._one_was_heard)
            socket.disconnected.connect(self._one_left)
            QTimer.singleShot(LINE_MS, socket, socket.abort)
            if socket.bytesAvailable():
                self._heard(socket)

    def _one_was_heard(self) -> None:
        socket = self.sender()
        if isinstance(socket, QLocalSocket):
            self._heard(socket)

    def _one_left(self) -> None:
        socket = self.sender()
        if isinstance(socket, QLocalSocket):
            self._left(socket)

    def _heard(self, socket: QLocalSocket) -> None:
        if socket.state() != QLocalSocket.LocalSocketState.ConnectedState:
            return  # it had its line
        if not socket.canReadLine():
            if socket.bytesAvailable() >= MAX_LINE:
                socket.abort()
            return
        link = _read(bytes(socket.readLine().data()))
        if link is None:
            socket.abort()
            return
        socket.write(_TAKEN)
        socket.disconnectFromServer()
        self._opened(link)

    def _left(self, socket: QLocalSocket) -> None:
        if socket in self._callers:
            self._callers.remove(socket)
            socket.deleteLater()


def _read(line: bytes) -> str | None:
    """The link that a line hands over, empty if it only raises the window; None: it says nothing
    that is known here."""
    said = line.removesuffix(b"\n")
    if said == _RAISE:
        return ""
    if not said.startswith(_OPEN):
        return None
    try:
        return check_url(said.removeprefix(_OPEN).decode("ascii"))
    except (UnicodeDecodeError, UserError):
        return None


def _name(folder: Path) -> str:
    """Where the socket is: in the profile if its path is short, else among those of the system."""
    inside = os.fsencode(folder / _NAME)
    if sys.platform != "win32" and len(inside) <= _LONGEST_PATH:
        return os.fsdecode(inside)
    return "folkmoot-" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]


def _let_it_forward() -> None:
    """Windows lets the program come forward that the person just started, and whom it names."""
    if sys.platform == "win32":
        import ctypes

        anybody = -1
        ctypes.windll.user32.AllowSetForegroundWindow(anybody)


def _is_ours(socket: QLocalSocket) -> bool:
    """Where others may make sockets too, one of theirs must not get a link."""
    if sys.platform == "win32":
        return True
    try:
        return os.lstat(socket.fullServerName()).st_uid == os.getuid()
    except OSError:
        return False
