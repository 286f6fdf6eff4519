"""Memory of the server for one idle, logged-in connection, in KiB, plain and with TLS.

Beside socket.io with a JWT and bare `ws` in the same run.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from bench import signal_servers
from bench.measurement import Measurement
from bench.signal_servers import Server

CONNECTIONS = int(os.environ.get("FOLKMOOT_BENCH_CONNECTIONS", "5000"))
ROUNDS = int(os.environ.get("FOLKMOOT_BENCH_ROUNDS", "3"))
WARM = 200
"""Connections before the count: what is imported and allocated once is not of one of them."""
IDLE_S = 2.0


def measure() -> Iterable[Measurement]:
    """Interleave the servers."""
    samples: dict[str, list[float]] = {}
    with signal_servers.prepare(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with signal_servers.certificate(folder) as pair:
            for _ in range(ROUNDS):
                for words, tls in (("plain", None), ("TLS", pair)):
                    starts: dict[str, Callable[[], AbstractContextManager[Server]]] = {
                        "ours": lambda tls=tls: signal_servers.ours(folder, tls=tls),  # type: ignore[misc]
                        "sio": lambda tls=tls: signal_servers.socketio(tls=tls),  # type: ignore[misc]
                        "ws": lambda tls=tls: signal_servers.bare(tls=tls),  # type: ignore[misc]
                    }
                    for kind, start in starts.items():
                        each = _each_kib(start, tls=tls is not None)
                        samples.setdefault(f"{kind} {words}", []).append(each)
    rows = []
    for words, at_most in (("plain", 24.0), ("TLS", 56.0)):
        ours, sio, ws = (samples[f"{kind} {words}"] for kind in ("ours", "sio", "ws"))
        rows.append(
            Measurement(f"idle connection, {words}", ours, "KiB", at_most=at_most, baseline=ws)
        )
        rows.append(
            Measurement(
                f"the same beside socket.io, {words}",
                ours,
                "KiB",
                at_most=1.0,
                baseline=sio,
                of_ratio=True,
            )
        )
    return rows


def _each_kib(start: Callable[[], AbstractContextManager[Server]], *, tls: bool) -> float:
    with start() as server, signal_servers.driver() as clients:
        clients.connect([server], WARM, tls=tls, pairs=CONNECTIONS)
        time.sleep(IDLE_S)
        before = server.rss_bytes()
        clients.connect([server], CONNECTIONS + WARM, tls=tls, pairs=CONNECTIONS)
        time.sleep(IDLE_S)
        return (server.rss_bytes() - before) / CONNECTIONS / 1024
