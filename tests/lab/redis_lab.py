"""A real Redis of our own, and servers of several nodes that meet in it.

`with redis_server(folder) as redis:` starts one on a free port of loopback that keeps nothing, at
`redis.url`. `with server_node(redis, folder) as node:` is one node; all with the same folder are
one server. Refuses to leave anything running.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from lab.signal_command import SignalCommand, signal_command

WAIT_S = 30.0


class RedisServer:
    """A `redis-server` that can be killed, stopped for a while, and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        for _ in range(5):
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                self.port = taken.getsockname()[1]
            # Somebody else may have taken it before Redis does.
            with contextlib.suppress(RuntimeError):
                self.start()
                return
        raise RuntimeError("Redis does not start")

    @property
    def url(self) -> str:
        """What a server is told."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def socket_url(self) -> str:
        """The same for servers in other network namespaces."""
        return f"unix://{self._folder}/redis.sock"

    def start(self) -> None:
        """Begin, empty."""
        words = [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        words += ["--unixsocket", f"{self._folder}/redis.sock", "--dir", str(self._folder)]
        self.process = subprocess.Popen(["redis-server", *words], stdout=subprocess.DEVNULL)
        until_s = time.monotonic() + WAIT_S
        while time.monotonic() < until_s and self.process.poll() is None:
            # Nobody else answers there, as somebody might at the port; that is open before.
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as own:
                own.settimeout(1)
                own.connect(f"{self._folder}/redis.sock")
                return
            time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"Redis does not answer at port {self.port}")

    def kill(self) -> None:
        """End it at once, with all it held."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=30)
            self.process = None

    def freeze(self) -> None:
        """Let it do nothing, with its connections open."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def command(self, *words: str | bytes) -> bytes:
        """Ask it something by hand; the raw answer, for answers that are short."""
        coded = [word.encode() if isinstance(word, str) else word for word in words]
        request = b"*%d\r\n" % len(coded)
        request += b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in coded)
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            connection.sendall(request)
            return connection.recv(1 << 20)


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """One that runs."""
    server = RedisServer(folder)
    try:
        yield server
    finally:
        if server.process is not None:
            with contextlib.suppress(ProcessLookupError):
                server.thaw()
        server.kill()


@contextlib.contextmanager
def server_node(
    redis: RedisServer, folder: Path, *arguments: str, config: str = "", ready: bool = True
) -> Iterator[SignalCommand]:
    """One node; it has met Redis unless `ready` is false."""
    secret = folder / "jwt-secret"
    if not secret.exists():
        secret.write_text(os.urandom(32).hex())
    file = folder / "signaling.toml"
    file.write_text(f'jwt_secret_file = "jwt-secret"\n{config}')
    with signal_command(
        "--config", str(file), "--redis", redis.url, "--listen", "127.0.0.1:0", *arguments
    ) as node:
        if ready:
            until_redis(node, "ok")
        yield node


def until_redis(node: SignalCommand, state: str, wait_s: float = WAIT_S) -> None:
    """Wait until a node says of Redis what is expected; blocking."""
    until_s = time.monotonic() + wait_s
    while (found := node.fetch("/health").json)["parts"]["redis"] != state:
        if time.monotonic() > until_s:
            raise TimeoutError(f"Redis is not {state} but {found}")
        time.sleep(0.05)
