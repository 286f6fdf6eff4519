"""The store beside plain SQLite: catching up, one message, pages, the first paint's read.

10,000 messages of a seeded text by four persons in one channel. The baseline of catching up writes
the very rows that the store made into the same tables and indexes with `executemany`, 2,000 to a
commit, with the same durability; ours checks signatures, hashes and chains, folds the team, and
makes those rows. The baseline of one message is a commit of one 300-byte row.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.measurement import Measurement
from builders.rooms import Room, make_room
from builders.writers import START_MS
from folkmoot.domain.entry import MAX_SEGMENT_ENTRIES, Entry
from folkmoot.domain.ids import ZERO, EntryId
from folkmoot.protocol.entries import verify_segment
from folkmoot.services.values import Page
from folkmoot.storage import projection
from folkmoot.storage.database import Database
from folkmoot.storage.store import SqliteStore

_MESSAGES = 10_000
_REPETITIONS = 5
_BATCH = 2_000
_TABLES = ("conversation", "log", "entry", *projection.PROJECTIONS)
_SYLLABLES = ("ka", "ro", "mi", "ten", "sol", "ver", "ba", "lin", "dor", "pe", "shi", "nu", "gra")


class _Clock:
    def wall_ms(self) -> int:
        return START_MS + 20_000


def _texts() -> Iterator[str]:
    chance = random.Random(7)
    words = ["".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(20_000)]
    weights = [1 / (rank + 1) ** 0.9 for rank in range(len(words))]
    pool = chance.choices(words, weights, k=200_000)
    while True:
        start = chance.randrange(len(pool) - 30)
        yield " ".join(pool[start : start + chance.randint(3, 25)])


def _room() -> Room:
    room = make_room("ada", "ben", "cleo", "dan")
    texts = _texts()
    for number in range(_MESSAGES):
        room.say(room.writers[number % 4], next(texts))
    return room


def _wire(room: Room) -> list[tuple[Entry, list[Entry]]]:
    """Segments as they travel: the first entry before them, and theirs."""
    segments = []
    logs = [log for writer in room.writers for log in writer.logs.values()]
    logs.sort(
        key=lambda log: (bytes(log[0].id) != bytes(room.team), log[0].log.conversation != room.team)
    )
    for log in logs:
        for at in range(0, len(log), MAX_SEGMENT_ENTRIES):
            segments.append((log[at - 1], log[at : at + MAX_SEGMENT_ENTRIES]))
    return segments


def _verified(room: Room, segments: list[tuple[Entry, list[Entry]]]) -> Iterator[list[Entry]]:
    for before, segment in segments:
        first = segment[0]
        log = (
            first.log._replace(conversation=room.team)
            if bytes(first.id) == bytes(room.team)
            else first.log
        )
        last = segment[-1].signature
        assert last is not None
        yield verify_segment(
            log,
            first.header.sequence,
            [entry.header_bytes for entry in segment],
            last,
            [entry.body for entry in segment],
            before.id if first.header.sequence > 1 else EntryId(ZERO),
        )


async def _open(path: Path, room: Room) -> SqliteStore:
    me = room.owner
    return await SqliteStore.open(path, me.person, me.device, clock=_Clock())


async def _catch_up(path: Path, room: Room, segments: list[tuple[Entry, list[Entry]]]) -> float:
    store = await _open(path, room)
    start = time.process_time()
    batch: list[Entry] = []
    for entries in _verified(room, segments):
        batch += entries
        if len(batch) >= _BATCH:
            await store.append(batch)
            batch = []
    await store.append(batch)
    used = time.process_time() - start
    await store.aclose()
    return used


def _rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(path)
    rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in _TABLES}
    rows["words"] = [(row[0], row[-1]) for row in rows["message"]]
    connection.close()
    return rows


def _raw(path: Path, rows: dict[str, list[tuple[object, ...]]]) -> float:
    Database(path).dispose()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -16384"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA secure_delete = ON")
    statements = {}
    rows = {name: held for name, held in rows.items() if held}
    for name, held in rows.items():
        columns = "(rowid, text)" if name == "words" else ""
        marks = ", ".join("?" * len(held[0]))
        statements[name] = f"INSERT INTO {name} {columns} VALUES ({marks})"
    start = time.process_time()
    for at in range(0, _MESSAGES + _BATCH, _BATCH):
        connection.execute("BEGIN IMMEDIATE")
        for name, held in rows.items():
            connection.executemany(statements[name], held[at : at + _BATCH])
        connection.execute("COMMIT")
    used = time.process_time() - start
    connection.close()
    return used


async def _append_one_by_one(path: Path, room: Room, count: int) -> list[float]:
    store = await _open(path, room)
    texts = _texts()
    took = []
    for _ in range(count):
        entry = room.say(room.owner, next(texts))
        start = time.perf_counter()
        await store.append([entry], client_id=entry.id.hex()[:16])
        took.append((time.perf_counter() - start) * 1000)
    await store.aclose()
    return took


def _commit_one_by_one(path: Path, count: int) -> list[float]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, data BLOB)")
    took = []
    for _ in range(count):
        start = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO row (data) VALUES (?)", (b"x" * 300,))
        connection.execute("COMMIT")
        took.append((time.perf_counter() - start) * 1000)
    connection.close()
    return took


async def _pages(path: Path, room: Room) -> dict[str, list[float]]:
    store = await _open(path, room)
    took: dict[str, list[float]] = {"open": [], "jump": []}
    chance = random.Random(3)
    for _ in range(50):
        start = time.perf_counter()
        page: Page = await store.page(room.channel)
        took["open"].append((time.perf_counter() - start) * 1000)
        place = chance.randrange(page.total)
        start = time.perf_counter()
        await store.page(room.channel, ordinal=place)
        took["jump"].append((time.perf_counter() - start) * 1000)
    await store.aclose()
    return took


_FIRST_PAGE = """
import sys, time
from pathlib import Path
from folkmoot.services import values
start = time.process_time()
from folkmoot.storage.first_page import read_first_page
first = read_first_page(Path(sys.argv[1]))
print((time.process_time() - start) * 1000)
assert first is not None and len(first.page.messages) == 64 and "sqlalchemy" not in sys.modules
"""


def _first_page(path: Path) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _FIRST_PAGE, str(path)], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def measure() -> Iterable[Measurement]:
    """Every number of the store."""
    room = _room()
    segments = _wire(room)
    gc.collect()
    gc.freeze()  # the input is not part of what is measured
    entries = sum(len(segment) for _, segment in segments)
    ours: list[float] = []
    raw: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "first")
        asyncio.run(_catch_up(path, room, segments))
        rows = _rows(path)
        for number in range(_REPETITIONS):
            used = asyncio.run(_catch_up(Path(folder, f"ours-{number}"), room, segments))
            ours.append(entries / used)
            raw.append(entries / _raw(Path(folder, f"raw-{number}"), rows))
        yield Measurement(
            "store: catching up 10,000 messages",
            ours,
            "/s CPU",
            at_least=0.6,
            baseline=raw,
            of_ratio=True,
        )
        firsts = [_first_page(path) for _ in range(_REPETITIONS)]
        yield Measurement("store: first page, with its imports", firsts, "ms CPU", at_most=15)
        pages = asyncio.run(_pages(path, room))
        yield Measurement("store: newest page of 10,000", pages["open"], "ms", at_most=30)
        yield Measurement("store: jump in 10,000", pages["jump"], "ms", at_most=30)
        one, commit = [], []
        for number in range(_REPETITIONS):
            one.append(statistics.median(asyncio.run(_append_one_by_one(path, room, 200))))
            commit.append(statistics.median(_commit_one_by_one(Path(folder, f"c{number}"), 200)))
        yield Measurement(
            "store: one message, p50",
            one,
            "ms",
            at_most=0.6,
            baseline=commit,
            note="beside a commit",
        )
