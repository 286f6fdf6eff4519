"""A process that appends messages and says of each, after the store did, that it is kept.

Arguments: the file, the first number, how many. Each line on standard output is the id of a message
whose append has returned. It is killed by the test.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from builders.rooms import make_room
from builders.writers import START_MS
from folkmoot.storage.store import SqliteStore


class _Clock:
    def wall_ms(self) -> int:
        return START_MS


async def _write(path: Path, count: int) -> None:
    room = make_room("ada")
    store = await SqliteStore.open(path, room.owner.person, room.owner.device, clock=_Clock())
    room.say(room.owner, "the first")
    await store.append(room.entries())
    for number in range(count):
        said = room.say(room.owner, f"message {number} " * (1 + number % 40))
        await store.append([said])
        sys.stdout.write(said.id.hex() + "\n")
        sys.stdout.flush()
    await store.aclose()


asyncio.run(_write(Path(sys.argv[1]), int(sys.argv[2])))
