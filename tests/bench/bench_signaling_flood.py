"""A sender floods a receiver that reads no more: memory of the server, and what others feel."""

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

ROUNDS = int(os.environ.get("FOLKMOOT_BENCH_ROUNDS", "5"))
FRAMES, FRAME_BYTES = 4_000, 8_000
OTHERS = 4


def measure() -> Iterable[Measurement]:
    """Interleave ours and bare `ws`."""
    found: dict[str, list[tuple[float, float]]] = {"ours": [], "ws": []}
    with signal_servers.prepare(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        starts: dict[str, Callable[[], AbstractContextManager[Server]]] = {
            "ours": lambda: signal_servers.ours(folder),
            "ws": signal_servers.bare,
        }
        for _ in range(ROUNDS):
            for kind, start in starts.items():
                found[kind].append(_flood(start))
    memory, trips = ([each[n] for each in found["ours"]] for n in (0, 1))
    memory0, trips0 = ([each[n] for each in found["ws"]] for n in (0, 1))
    return [
        Measurement("flood, memory of the server", memory, "MB", at_most=2.0, baseline=memory0),
        Measurement("flood, slowest of others", trips, "ms", at_most=50.0, baseline=trips0),
    ]


def _flood(start: Callable[[], AbstractContextManager[Server]]) -> tuple[float, float]:
    """(MB more, slowest round trip of two others in ms)."""
    with start() as server, signal_servers.driver() as clients:
        clients.connect([server], OTHERS, pairs=1)
        clients.do("relay", pairs=2, frames=1_000, window=4)
        before = server.rss_bytes()
        slowest: float = clients.do("stall", frames=FRAMES, bytes=FRAME_BYTES)["slowest_ms"]
        time.sleep(0.5)
        return (server.rss_bytes() - before) / 1e6, slowest
