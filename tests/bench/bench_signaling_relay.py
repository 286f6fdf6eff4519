"""CPU of the server for one relayed frame of 300 bytes, in microseconds.

Beside bare `ws` (no login, no limits), socket.io with a JWT, and socket.io with its Redis adapter;
ours with login, tags, limits and metrics. Across nodes the CPU of both servers counts, Redis not.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from bench import signal_servers
from bench.measurement import Measurement
from bench.signal_servers import Driver, Server

ROUNDS = int(os.environ.get("FOLKMOOT_BENCH_ROUNDS", "5"))
FRAMES, PAIRS, WINDOW = 100_000, 20, 8
WARM = 5_000


def measure() -> Iterable[Measurement]:
    """Interleave the servers."""
    with signal_servers.prepare(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with signal_servers.redis_server(folder) as redis:
            ways: dict[str, Callable[[], contextlib.AbstractContextManager[list[Server]]]] = {
                "ours": lambda: _one(signal_servers.ours(folder)),
                "ws": lambda: _one(signal_servers.bare()),
                "sio": lambda: _one(signal_servers.socketio()),
                "ours+redis": lambda: _one(signal_servers.ours(folder, redis=redis)),
                "sio+redis": lambda: _one(signal_servers.socketio(redis=redis)),
                "ours across": lambda: _two(
                    signal_servers.ours(folder, redis=redis),
                    signal_servers.ours(folder, redis=redis),
                ),
                "sio across": lambda: _two(
                    signal_servers.socketio(redis=redis), signal_servers.socketio(redis=redis)
                ),
            }
            samples: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(ROUNDS):
                for way, start in ways.items():
                    samples[way].append(_cost_us(start))
    return [
        _row("relay, beside ws", samples["ours"], samples["ws"], 1.5),
        _row("relay, beside socket.io", samples["ours"], samples["sio"], 0.7),
        _row("relay, with Redis, same node", samples["ours+redis"], samples["sio+redis"], 0.2),
        _row("relay, with Redis, across", samples["ours across"], samples["sio across"], 0.6),
    ]


def _row(name: str, ours: list[float], theirs: list[float], at_most: float) -> Measurement:
    return Measurement(name, ours, "µs", at_most=at_most, baseline=theirs, of_ratio=True)


@contextlib.contextmanager
def _one(server: contextlib.AbstractContextManager[Server]) -> Iterator[list[Server]]:
    with server as started:
        yield [started]


@contextlib.contextmanager
def _two(
    left: contextlib.AbstractContextManager[Server],
    right: contextlib.AbstractContextManager[Server],
) -> Iterator[list[Server]]:
    with left as one, right as other:
        yield [one, other]


def _cost_us(start: Callable[[], contextlib.AbstractContextManager[list[Server]]]) -> float:
    with start() as servers, signal_servers.driver() as clients:
        # An odd number of pairs: the two of a pair are at different servers when there are two.
        pairs = PAIRS + len(servers) - 1
        clients.connect(servers, 2 * pairs, pairs=pairs)
        _relay(clients, WARM, pairs)
        before = sum(server.cpu_s() for server in servers)
        relayed = _relay(clients, FRAMES, pairs)
        return (sum(server.cpu_s() for server in servers) - before) / relayed * 1e6


def _relay(clients: Driver, frames: int, pairs: int) -> int:
    relayed: int = clients.do("relay", pairs=pairs, frames=frames, window=WINDOW)["relayed"]
    return relayed
