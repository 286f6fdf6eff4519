"""From the link to 10,000 messages that are verified, durable, projected and indexed.

Two shipped nodes in this process, over TLS on loopback, with stores on disk; the second lacks every
message of the first. Wall time from the dial to the last commit, and the processor time of both
nodes together. The baseline is `executemany` of the same rows into the same tables and indexes, by
somebody who trusts them.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from bench.measurement import Measurement
from builders.nodes import keyring_of
from builders.rooms import Room, make_room
from folkmoot.domain.bodies import Set
from folkmoot.domain.entry import Entry
from folkmoot.domain.fold import KEY_SECRET
from folkmoot.storage.store import SqliteStore
from folkmoot.system.clock import SystemClock
from integration.linked.nodes import open_node

REPETITIONS = 5
MESSAGES = 10_000
AUTHORS = ("ann", "cyd", "dan", "eve")
WORDS = (
    "rope",
    "tar",
    "lamps",
    "the",
    "ship",
    "sails",
    "at",
    "dawn",
    "bring",
    "two",
    "good",
    "nights",
)


def measure() -> Iterable[Measurement]:
    """Interleave catching up with the baseline."""
    return asyncio.run(_measure())


async def _measure() -> list[Measurement]:
    wall: list[float] = []
    cpu: list[float] = []
    base: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        room = make_room("ann", "ben", *AUTHORS[1:])
        await _fill(folder, room)
        for _ in range(REPETITIONS):
            seconds, cpu_seconds = await _catch_up(folder, room)
            wall.append(seconds)
            cpu.append(cpu_seconds)
            base.append(_copy_rows(folder))
    return [
        Measurement("catchup.wall", wall, "s", at_most=3.0),
        Measurement("catchup.cpu", cpu, "s", baseline=base, note="baseline: executemany, one side"),
    ]


async def _fill(folder: Path, room: Room) -> None:
    """`full` holds everything, `start` the team only."""
    secret = Set(KEY_SECRET, bytes(range(32)))
    room.owner.write(room.team, room.grants["ann"], secret)
    start = room.entries()
    chance = random.Random(1)
    writers = {writer.name: writer for writer in room.writers}
    for _ in range(MESSAGES):
        text = " ".join(chance.choices(WORDS, k=chance.randint(3, 40)))
        room.say(writers[chance.choice(AUTHORS)], text)
    await _store(folder / "start.sqlite3", "ben", start)
    await _store(folder / "ann.sqlite3", "ann", room.entries())


async def _store(path: Path, name: str, entries: list[Entry]) -> None:
    keyring = keyring_of(name)
    store = await SqliteStore.open(path, keyring.person, keyring.device, clock=SystemClock())
    for at in range(0, len(entries), 2000):
        await store.append(entries[at : at + 2000])
    await store.aclose()


def _begin_again(folder: Path) -> None:
    for file in folder.glob("ben.sqlite3*"):
        file.unlink()
    shutil.copy(folder / "start.sqlite3", folder / "ben.sqlite3")


async def _catch_up(folder: Path, room: Room) -> tuple[float, float]:
    _begin_again(folder)
    ann = await open_node("ann", folder, keyring=keyring_of("ann"))
    ben = await open_node("ben", folder, keyring=keyring_of("ben"))
    began, began_cpu = time.perf_counter(), time.process_time()
    await ben.peers.dial(ann.listening[0])
    while (await ben.conversations.get(room.channel)).messages < MESSAGES:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    taken = time.perf_counter() - began, time.process_time() - began_cpu
    await ben.aclose()
    await ann.aclose()
    return taken


def _copy_rows(folder: Path) -> float:
    """Every row of the caught-up store into an empty one of the same schema; seconds of CPU."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        copy = sqlite3.connect(Path(place) / "copy.sqlite3")
        full = sqlite3.connect(folder / "ben.sqlite3")
        copy.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
        schema = full.execute(
            "SELECT name, sql FROM sqlite_master WHERE sql NOT NULL AND name NOT LIKE 'sqlite_%'"
            " ORDER BY type DESC, name"
        ).fetchall()
        shadow = tuple(f"{n}_" for n, sql in schema if sql.startswith("CREATE VIRTUAL"))
        made = [(n, sql) for n, sql in schema if not (shadow and n.startswith(shadow))]
        for _, sql in made:
            copy.execute(sql)
        tables = [n for n, sql in made if sql.startswith("CREATE TABLE")]
        rows = {table: full.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
        began = time.process_time()
        with copy:
            for table, held in rows.items():
                if held:
                    places = ",".join("?" * len(held[0]))
                    copy.executemany(f"INSERT INTO {table} VALUES ({places})", held)
        taken = time.process_time() - began
        full.close()
        copy.close()
        return taken
