"""The words of a deleted message leave the file a while after the delete, on every computer."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from folkmoot.services.forgetting import SOON_S
from folkmoot.storage.rows import Rows
from sim.loop import sim_loop
from sim.stories import gather, reads
from sim.world import Host, World

pytestmark = pytest.mark.blocks_loop("a simulation is one thread: its store runs inline")
SECRET = "xyloquartz"


def _bytes(host: Host) -> bytes:
    """The store's files once its write-ahead log is worked in."""
    connection = sqlite3.connect(host.path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()
    wal = host.path.with_name(f"{host.path.name}-wal")
    return host.path.read_bytes() + (wal.read_bytes() if wal.exists() else b"")


async def _found(host: Host, word: str) -> int:
    def count(rows: Rows) -> int:
        found: int = rows.all("SELECT count(*) FROM words WHERE words MATCH ?", (word,))[0][0]
        return found

    return await host.store._lanes.read(count)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_word_of_a_deleted_message_is_not_in_the_file_any_more(
    tmp_path: Path, restarted: bool
) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await gather(world, ["ann", "ben"])
        ann = world["ann"].node
        for number in range(30):
            await ann.messages.post(crew.channel, f"words before {number}")
        said = await ann.messages.post(crew.channel, f"the password is {SECRET}")
        await ann.messages.post(crew.channel, "words after")
        await reads(world, "ben", crew, said.text)
        await ann.messages.delete(said.id)
        await reads(world, "ben", crew, "words after")
        await asyncio.sleep(2)
        if restarted:
            await world["ben"].crash()
            await world["ben"].boot()
        await asyncio.sleep(SOON_S + 30)
        for name in world.hosts:
            assert SECRET[1:].encode() not in _bytes(world[name])
            assert b"words after" in _bytes(world[name])
        await world.aclose()

    sim_loop(71).run(story())


def test_words_that_are_left_are_found_after_the_forgetting(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann"], tmp_path)
        crew = await gather(world, ["ann"])
        ann = world["ann"].node
        said = await ann.messages.post(crew.channel, f"the password is {SECRET}")
        await ann.messages.post(crew.channel, "the password is gone")
        await ann.messages.delete(said.id)
        await asyncio.sleep(SOON_S + 30)
        found = [await _found(world["ann"], word) for word in ("password", SECRET)]
        assert found == [1, 0]
        await world.aclose()

    sim_loop(72).run(story())
