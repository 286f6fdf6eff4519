"""A process that opens an old store and is killed on the way, again and again.

Arguments: the file with an old store, a folder, the number of deaths. First it looks how long an
opening is, in steps of SQLite's machine. Then, for each death, a child of it opens a copy
``N.sqlite3`` and kills itself (SIGKILL) at an equal part of the way. Prints how many died.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

from builders.rooms import make_room
from builders.writers import START_MS
from folkmoot.storage import database
from folkmoot.storage.lanes import InlineLanes
from folkmoot.storage.store import SqliteStore

_ticks = 0
_last = 0


class _Clock:
    def wall_ms(self) -> int:
        return START_MS


def _tick() -> int:
    global _ticks
    _ticks += 1
    if _ticks == _last:
        os.kill(os.getpid(), signal.SIGKILL)
    return 0


def _watch() -> None:
    connect = database.Database._connect

    def connect_and_count(self: database.Database) -> sqlite3.Connection:
        connection = connect(self)
        connection.set_progress_handler(_tick, 1)
        return connection

    database.Database._connect = connect_and_count  # type: ignore[method-assign]


async def _open(path: Path) -> None:
    owner = make_room("ada", "ben").owner
    store = await SqliteStore.open(
        path, owner.person, owner.device, clock=_Clock(), lanes=InlineLanes()
    )
    await store.aclose()


def main() -> None:
    global _ticks, _last
    old, folder, deaths = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    _watch()
    whole = folder / "whole.sqlite3"
    shutil.copy(old, whole)
    asyncio.run(_open(whole))
    length, died = _ticks, 0
    for number in range(deaths):
        path = folder / f"{number}.sqlite3"
        shutil.copy(old, path)
        child = os.fork()
        if child == 0:
            _ticks, _last = 0, 1 + (length - 1) * number // (deaths - 1)
            asyncio.run(_open(path))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        died += os.WIFSIGNALED(status)
    print(died)  # noqa: T201


main()
