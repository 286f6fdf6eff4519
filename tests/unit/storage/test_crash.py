"""What was told as kept is there after kill -9, and nothing is there by half."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from builders.rooms import make_room

from .conftest import OpenStore
from .dump import dump

_WRITER = Path(__file__).with_name("crash_writer.py")


def _write_and_kill(path: Path, after_s: float) -> list[str]:
    """Run the writer, kill it after so long, and return what it told as kept."""
    child = subprocess.Popen(
        [sys.executable, str(_WRITER), str(path), "5000"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
    )
    assert child.stdout is not None
    told = [child.stdout.readline()]
    time.sleep(after_s)
    child.kill()
    # By the same reader: it may hold a part already of what was written meanwhile.
    told += child.stdout.readlines()
    child.stdout.close()
    child.wait(30)
    return [line.strip() for line in told if line.endswith("\n")]


def _check(path: Path, told: list[str]) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    entries = {row[0].hex() for row in connection.execute("SELECT id FROM entry WHERE kind = 64")}
    shown = {row[0].hex() for row in connection.execute("SELECT id FROM message")}
    assert told
    assert set(told) <= entries
    assert shown == entries
    ((counted,),) = connection.execute("SELECT messages FROM view").fetchall()
    assert counted == len(shown)
    ((heads,),) = connection.execute("SELECT sum(sequence) FROM log").fetchall()
    assert heads == connection.execute("SELECT count(*) FROM entry").fetchone()[0]
    connection.close()


@pytest.mark.parametrize("round_number", range(3))
def test_kill_9_while_writing_loses_nothing_that_was_told(
    tmp_path: Path, round_number: int
) -> None:
    path = tmp_path / "store.sqlite3"
    told = _write_and_kill(path, 0.05 + 0.07 * round_number)
    _check(path, told)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_hundred_kills_lose_nothing_that_was_told(tmp_path: Path) -> None:
    chance = random.Random(7)
    for number in range(100):
        path = tmp_path / f"store-{number}.sqlite3"
        told = _write_and_kill(path, chance.uniform(0, 0.3))
        _check(path, told)


async def test_what_was_written_before_a_kill_projects_to_the_same_bytes(
    open_store: OpenStore, tmp_path: Path
) -> None:
    path = tmp_path / "store.sqlite3"
    await asyncio.to_thread(_write_and_kill, path, 0.1)
    room = make_room("ada")
    store = await open_store(room.owner)
    before = await asyncio.to_thread(dump, path)
    await store.rebuild()
    assert await asyncio.to_thread(dump, path) == before


async def test_an_append_is_told_only_after_its_commit_is_on_disk(
    open_store: OpenStore, tmp_path: Path
) -> None:
    room = make_room("ada")
    said = room.say(room.owner, "kept")
    store = await open_store(room.owner)
    others = sqlite3.connect(tmp_path / "store.sqlite3", isolation_level=None)
    others.execute("BEGIN IMMEDIATE")  # holds off the store's commit
    append = asyncio.ensure_future(store.append(room.entries()))
    await asyncio.wait({append}, timeout=0.3)
    assert not append.done()
    others.execute("ROLLBACK")
    await append
    found = others.execute("SELECT id FROM message").fetchall()
    others.close()
    assert found == [(said.id,)]


async def test_every_commit_waits_for_the_disk(open_store: OpenStore) -> None:
    store = await open_store(make_room("ada").owner)
    assert await store._lanes.write(lambda rows: rows.all("PRAGMA journal_mode")) == [("wal",)]
    assert await store._lanes.write(lambda rows: rows.all("PRAGMA synchronous")) == [(2,)]
