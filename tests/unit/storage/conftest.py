"""A store on a file, and a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from builders.writers import START_MS, Writer
from folkmoot.storage.lanes import Lanes
from folkmoot.storage.store import SqliteStore


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_ms = START_MS + 1_000

    def wall_ms(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


OpenStore = Callable[..., Awaitable[SqliteStore]]


@pytest_asyncio.fixture
async def open_store(tmp_path: Path, clock: HandClock) -> AsyncIterator[OpenStore]:
    """Opens stores that are closed after the test."""
    opened: list[SqliteStore] = []

    async def open_one(
        writer: Writer, name: str = "store.sqlite3", lanes: Lanes | None = None
    ) -> SqliteStore:
        store = await SqliteStore.open(
            tmp_path / name if name != ":memory:" else name,
            writer.person,
            writer.device,
            clock=clock,
            lanes=lanes,
        )
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.aclose()
