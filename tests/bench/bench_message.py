"""One message from a key event in one window to the paint event of another process's window.

Two real windows on one virtual screen, joined by an invitation before. Return is pressed by the X
server; the time runs from the key event in the writer's process to the end of the paint event that
first draws the text in the reader's, so both durable commits lie between. The baseline, in the same
run and interleaved: a WebSocket echo over loopback of 300 bytes, each side committing a row of 300
bytes with `synchronous=FULL` before it sends.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import aiohttp
from aiohttp import web

from bench.measurement import Measurement
from e2e.desktop import WindowProcess
from e2e.nodes import ROOT, NodeProcess, nodes, until
from e2e.people import Desk, desk_with_two_places

ROUNDS, PER_ROUND, WARM = 6, 20, 3
LIMIT_MS = 10.0


def measure() -> Iterable[Measurement]:
    """Rounds of messages and of the baseline in turn."""
    with tempfile.TemporaryDirectory() as folder, desk_with_two_places(Path(folder)) as desk:
        writer, notes, seen = _windows(desk, Path(folder))
        ours: list[float] = []
        plain: list[float] = []
        for number in range(WARM):
            _send(writer, f"warm {number}", notes, seen)
        for turn in range(ROUNDS):
            place = Path(folder, f"plain{turn}")
            place.mkdir()
            plain += asyncio.run(_echo(place, PER_ROUND))
            for number in range(PER_ROUND):
                ours.append(_send(writer, f"message {turn} {number}", notes, seen))
    late = statistics.quantiles(ours, n=20)[-1]
    yield Measurement(
        "one message, key to paint, p50",
        ours,
        "ms",
        at_most=LIMIT_MS,
        baseline=plain,
        note=f"p95 {late:.1f}; baseline: WebSocket echo and two FULL commits",
    )


def _windows(desk: Desk, folder: Path) -> tuple[WindowProcess, Path, Path]:
    """Two windows of one team. No screen reader listens: it would be asked about every row."""
    _join(folder)
    path = os.pathsep.join(str(ROOT / part) for part in ("app", "signaling", "tests"))
    notes, seen = folder / "writer.txt", folder / "reader.txt"
    watched = {
        "PROGRAM": "bench.watched_window",
        "PYTHONPATH": path,
        "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "0",
    }
    desk.open("reader", 0, FOLKMOOT_WATCH=str(seen), **watched)
    writer = desk.open("writer", 1, FOLKMOOT_WATCH=str(notes), **watched)
    return writer, notes, seen


def _join(folder: Path) -> None:
    """Let the nodes of both profiles meet before the windows open."""
    with nodes(folder, "reader", "writer") as (reader, writer):
        team = reader.post("/teams", name="Bench Harbour")["id"]
        link = reader.call("POST", f"/teams/{team}/invites", {})["link"]
        writer.post("/teams/join", invite=link)
        for node in (reader, writer):
            until(partial(_knows_two, node, team), "two members")
            node.stop()


def _knows_two(node: NodeProcess, team: str) -> bool:
    return len(node.items(f"/teams/{team}/members")) == 2


def _send(writer: WindowProcess, text: str, notes: Path, seen: Path) -> float:
    """Milliseconds from the key event to the paint event."""
    writer.type(text)
    writer.key("Return")
    line = until(lambda: _drawn(seen, text), f"“{text}” is drawn")
    pressed = [each for each in notes.read_text().splitlines() if each.startswith("key ")]
    return (int(line.split()[1]) - int(pressed[-1].split()[1])) / 1e6


def _drawn(seen: Path, text: str) -> str:
    lines = seen.read_text().splitlines()
    return next((one for one in reversed(lines) if one.split(" ", 2)[2:] == [text]), "")


async def _echo(folder: Path, count: int) -> list[float]:
    """Milliseconds of so many echoes with a commit on each side."""
    near, far = _table(folder / "near"), _table(folder / "far")
    row = os.urandom(300)

    async def answer(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            far.execute("INSERT INTO row VALUES (?)", (message.data,))
            await socket.send_bytes(message.data)
        return socket

    application = web.Application()
    application.router.add_get("/", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    (address,) = runner.addresses
    samples = []
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{address[1]}/") as socket,
    ):
        for _ in range(count):
            began = time.perf_counter()
            near.execute("INSERT INTO row VALUES (?)", (row,))
            await socket.send_bytes(row)
            await socket.receive_bytes()
            samples.append((time.perf_counter() - began) * 1000)
    await runner.cleanup()
    near.close()
    far.close()
    return samples


def _table(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE row (body BLOB)")
    return connection
