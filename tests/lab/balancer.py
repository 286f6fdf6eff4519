"""Several servers behind one name: a port that hands each connection to the next that takes it.

`python -m lab.balancer HOST PORT SERVERPORT…` does it for servers on loopback until it is killed.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import sys
import threading
from collections.abc import Callable, Sequence


class Balancer:
    """Hands on between a port and servers at other ports of loopback."""

    def __init__(self, host: str, port: int, servers: Sequence[int]) -> None:
        self._servers = list(servers)
        self._turn = itertools.count()
        self._listening = socket.create_server((host, port))

    def serve(self) -> None:
        """Take connections, each in turn to another server."""
        while True:
            _start(self._serve, self._listening.accept()[0])

    def _serve(self, near: socket.socket) -> None:
        turn = next(self._turn)
        for number in range(len(self._servers)):
            port = self._servers[(turn + number) % len(self._servers)]
            with contextlib.suppress(OSError):
                far = socket.create_connection(("127.0.0.1", port), 2)
                far.settimeout(None)
                _start(_hand_on, near, far)
                _hand_on(far, near)
                return
        near.close()


def _hand_on(source: socket.socket, destination: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            destination.sendall(data)
    for one in (source, destination):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def _start(what: Callable[..., None], *arguments: socket.socket) -> None:
    threading.Thread(target=what, args=arguments, daemon=True).start()


if __name__ == "__main__":
    balancer = Balancer(sys.argv[1], int(sys.argv[2]), [int(word) for word in sys.argv[3:]])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    balancer.serve()
