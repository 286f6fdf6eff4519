"""The longest time that a window's loop does not turn: starting, and catching up much.

A real window on a virtual screen; a timer of one millisecond notes how late it comes, from the
first frame on. Starting: the libraries of the node are imported while the window is up. Catching
up: a second process holds 10,000 messages more. There is no baseline: the bound is what a person
does not notice.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from bench.measurement import Measurement
from e2e.desktop import Desktop, desktop
from e2e.nodes import ROOT, NodeProcess, until
from folkmoot.bootstrap.running import Options, build
from folkmoot.system.profile import open_profile

MESSAGES, ROUNDS, START_S = 10_000, 5, 6.0
AIM_MS = 50.0


def measure() -> Iterable[Measurement]:
    """Both in turn, so many rounds."""
    starting: list[float] = []
    catching_up: list[float] = []
    with tempfile.TemporaryDirectory() as place, desktop() as desk:
        folder = Path(place)
        full, address = _prepare(folder)
        for turn in range(ROUNDS):
            full.options = ("--listen", address)
            first, second = _longest(desk, folder, f"turn{turn}", full)
            starting.append(first)
            catching_up.append(second)
    yield Measurement("window gap, starting", starting, "ms", at_most=AIM_MS)
    yield Measurement("window gap, catching up", catching_up, "ms", at_most=AIM_MS)


def _prepare(folder: Path) -> tuple[NodeProcess, str]:
    """Two members; then one of them writes alone."""
    full, lacking = NodeProcess(folder / "full", "Elin"), NodeProcess(folder / "lacking", "Tomas")
    full.start()
    lacking.start()
    team = full.post("/teams", name="Gap Harbour")
    link = full.call("POST", f"/teams/{team['id']}/invites", {})["link"]
    lacking.post("/teams/join", invite=link)
    until(lambda: lacking.session("general"), "#general")
    address = next(one for one in full.ready["listen"] if not one.startswith("["))
    lacking.stop()
    full.stop()
    asyncio.run(_write(folder / "full"))
    return full, address


async def _write(folder: Path) -> None:
    options = Options(discovery=False, listen=("127.0.0.1:0",))
    running = await build(open_profile(folder), options)
    (channel,) = [c.id for c in await running.node.conversations.list()]
    for start in range(0, MESSAGES, 500):
        await asyncio.gather(
            *(
                running.node.messages.post(channel, f"Message number {number} of many.")
                for number in range(start, start + 500)
            )
        )
    await running.aclose()


def _longest(desk: Desktop, folder: Path, name: str, full: NodeProcess) -> tuple[float, float]:
    """Milliseconds while a window starts on a copy of the profile, and after `full` comes up."""
    profile, notes = folder / name, folder / f"{name}.txt"
    shutil.copytree(folder / "lacking", profile)
    path = os.pathsep.join(str(ROOT / part) for part in ("app", "signaling", "tests"))
    watched = {"PROGRAM": "bench.watched_window", "PYTHONPATH": path}
    window = desk.window(profile, FOLKMOOT_WATCH=str(notes), FOLKMOOT_WATCH_GAPS="1", **watched)
    time.sleep(START_S)
    began = time.monotonic_ns()
    full.start()
    until(lambda: _count(profile) >= MESSAGES, "all messages", 60)
    time.sleep(1)
    window.close()
    full.stop()
    gaps = [one.split() for one in notes.read_text().splitlines() if one.startswith("gap ")]
    before = [int(length) for _, at, length in gaps if int(at) < began]
    after = [int(length) for _, at, length in gaps if int(at) >= began]
    return max(before) / 1e6, max(after, default=0) / 1e6


def _count(profile: Path) -> int:
    address = f"file:{profile / 'store.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as store:
        return int(store.execute("SELECT count(*) FROM message").fetchone()[0])
