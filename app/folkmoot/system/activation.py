"""A second start of the window asks the first one to come forward, over a local socket.

The socket carries one word and nothing else; only this account may connect. Which process comes
first is decided by `system.instance`, never here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_WORD = b"raise\n"
_TIMEOUT_MS = 1000


def ask_to_come_forward(folder: Path) -> bool:
    """Ask the window on the profile `folder`; whether it took the word. Waits a second at most."""
    socket = QLocalSocket()
    socket.connectToServer(_name(folder))
    if not socket.waitForConnected(_TIMEOUT_MS):
        return False
    socket.write(_WORD)
    taken = socket.waitForBytesWritten(_TIMEOUT_MS)
    socket.disconnectFromServer()
    return taken


class Activation(QObject):
    """Listens for second starts, from creation until `close`."""

    def __init__(self, folder: Path, come_forward: Callable[[], None]) -> None:
        """Call `come_forward` on this thread when the window is to be raised."""
        super().__init__()
        self._come_forward = come_forward
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

    def _connected(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.setReadBufferSize(len(_WORD))
            socket.readyRead.connect(lambda taken=socket: self._heard(taken))
            socket.disconnected.connect(socket.deleteLater)
            if socket.bytesAvailable():
                self._heard(socket)

    def _heard(self, socket: QLocalSocket) -> None:
        if bytes(socket.readAll().data()) == _WORD:
            self._come_forward()
        socket.abort()


def _name(folder: Path) -> str:
    return "folkmoot-" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
