"""Real signaling servers to measure: ours, and what others would take instead (`bench/servers`).

Every server is a process of its own, whose CPU time and memory are read from /proc; the clients are
in another process (`driver.js`) and count for nobody.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "servers"
SECRET = "a secret of the benchmark that is long enough"
WAIT_S = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
OPEN_FILES = 20_000
CONFIG = """
# The limits are on; those that a benchmark from one address would meet are wide.
[limits]
address_connections = 16384
address_rooms = 262144
all_strangers = 4096
address_handshakes = { per_s = 5000, burst = 20000 }
all_handshakes = { per_s = 5000, burst = 20000 }
address_logins = { per_s = 5000, burst = 20000 }
all_logins = { per_s = 5000, burst = 20000 }
key_frames = { per_s = 100000, burst = 100000 }
address_frames = { per_s = 1000000, burst = 1000000 }
all_frames = { per_s = 1000000, burst = 1000000 }
key_bytes = { per_s = 100000000, burst = 100000000 }
address_bytes = { per_s = 1000000000, burst = 1000000000 }
all_bytes = { per_s = 1000000000, burst = 1000000000 }
address_control = { per_s = 20000, burst = 100000 }
"""


class Server:
    """A server that answers with its port."""

    def __init__(self, kind: str, process: subprocess.Popen[str], port: int) -> None:
        self.kind, self.process, self.port = kind, process, port

    def cpu_s(self) -> float:
        """User and system time so far, of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def rss_bytes(self) -> int:
        """Memory that is resident now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024


@contextlib.contextmanager
def prepare() -> Iterator[None]:
    """Fetch the packages of the baselines, and allow many connections."""
    if shutil.which("npm") is None:
        raise SystemExit("The baselines need Node.js with npm: apt-get install nodejs npm.")
    stamp = HERE / "node_modules" / ".package-lock.json"
    lock = HERE / "package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci", "--ignore-scripts", "--silent"], cwd=HERE, check=True)
        stamp.touch()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield


@contextlib.contextmanager
def ours(
    folder: Path, *, tls: tuple[str, str] | None = None, redis: str | None = None
) -> Iterator[Server]:
    """The shipped server, with login, limits and metrics."""
    config = folder / f"{secrets.token_hex(4)}.toml"
    secret = folder / "jwt-secret"
    if not secret.exists():
        secret.write_text(secrets.token_hex(32))
    config.write_text(f'jwt_secret_file = "{secret}"\n{CONFIG}')
    command = [sys.executable, "-m", "folkmoot_signaling", "--listen", "127.0.0.1:0"]
    command += ["--config", str(config)]
    if tls is not None:
        command += ["--tls-cert", tls[0], "--tls-key", tls[1]]
    if redis is not None:
        command += ["--redis", redis]
    with _started("ours", command) as server:
        yield server


@contextlib.contextmanager
def bare(*, tls: tuple[str, str] | None = None) -> Iterator[Server]:
    """A relay on `ws`, with nothing around it."""
    with _started("ws", ["node", str(HERE / "ws_server.js"), *(tls or ())]) as server:
        yield server


@contextlib.contextmanager
def socketio(*, tls: tuple[str, str] | None = None, redis: str | None = None) -> Iterator[Server]:
    """A relay on socket.io, with a JWT at the door."""
    command = ["node", str(HERE / "sio_server.js"), SECRET]
    if redis is not None:
        command += ["--redis", redis]
    if tls is not None:
        command += ["--tls", *tls]
    with _started("sio", command) as server:
        yield server


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A real Redis on a free port of loopback; its URL."""
    if shutil.which("redis-server") is None:
        raise SystemExit("This needs Redis: apt-get install redis-server.")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(
        ["redis-server", *words, "--dir", str(folder)], stdout=subprocess.DEVNULL
    )
    try:
        _until_answers(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        _end(process)


@contextlib.contextmanager
def certificate(folder: Path) -> Iterator[tuple[str, str]]:
    """A self-signed certificate and its key, as files."""
    cert, key = folder / "bench.crt", folder / "bench.key"
    words = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-subj", "/CN=127.0.0.1", "-days", "2", "-out", str(cert), "-keyout", str(key)]
    subprocess.run(["openssl", "req", *words], check=True, capture_output=True)
    yield str(cert), str(key)


class Driver:
    """The clients, in a process of their own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def do(self, act: str, **order: object) -> dict[str, Any]:
        """Give an order and wait for its answer; what went wrong is raised."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": act, **order}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{act}: {answer['error']}")
        return answer

    def connect(
        self, servers: Sequence[Server], count: int, *, tls: bool = False, pairs: int = 0
    ) -> None:
        """Log `count` clients in, in turn at each server; with `pairs` they share tags."""
        ports = [server.port for server in servers]
        self.do(
            "connect",
            kind=servers[0].kind,
            ports=ports,
            count=count,
            tls=tls,
            secret=SECRET,
            tag=pairs > 0,
            pairs=pairs,
        )


@contextlib.contextmanager
def driver() -> Iterator[Driver]:
    """Clients for the length of a measurement."""
    process = subprocess.Popen(
        ["node", str(HERE / "driver.js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Driver(process)
    finally:
        _end(process)


@contextlib.contextmanager
def _started(kind: str, command: list[str]) -> Iterator[Server]:
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        port = said["port"] if "port" in said else int(said["listen"][0].rpartition(":")[2])
        yield Server(kind, process, port)
    finally:
        _end(process)


def _end(process: subprocess.Popen[Any]) -> None:
    process.kill()
    process.wait(10)


def _until_answers(port: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"nothing answers at port {port}")
