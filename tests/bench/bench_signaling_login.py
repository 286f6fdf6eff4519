"""CPU of the server to connect and log in over TLS, in microseconds.

Ours: challenge, Ed25519, JWT, a room. Beside socket.io over TLS with a JWT that is checked.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from bench import signal_servers
from bench.measurement import Measurement

ROUNDS = int(os.environ.get("FOLKMOOT_BENCH_ROUNDS", "5"))
LOGINS, WARM = 1_500, 100


def measure() -> Iterable[Measurement]:
    """Interleave the servers."""
    ours: list[float] = []
    theirs: list[float] = []
    with signal_servers.prepare(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with signal_servers.certificate(folder) as pair:
            for _ in range(ROUNDS):
                with signal_servers.ours(folder, tls=pair) as server:
                    ours.append(_each_us(server))
                with signal_servers.socketio(tls=pair) as server:
                    theirs.append(_each_us(server))
    return [
        Measurement(
            "connect and log in over TLS", ours, "µs", at_most=0.8, baseline=theirs, of_ratio=True
        )
    ]


def _each_us(server: signal_servers.Server) -> float:
    with signal_servers.driver() as clients:
        clients.connect([server], WARM, tls=True, pairs=LOGINS)
        before = server.cpu_s()
        clients.connect([server], WARM + LOGINS, tls=True, pairs=LOGINS)
        return (server.cpu_s() - before) / LOGINS * 1e6
