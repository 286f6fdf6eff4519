"""Stores of every earlier version open, step up and read as they did.

`versions/NNN.sql` is a store as version NNN left it; one is added with each schema step.
"""

from __future__ import annotations

import sqlite3
from importlib import resources
from pathlib import Path

import pytest

from builders.rooms import make_room
from folkmoot.storage.database import SCHEMA_VERSION, Database

from .conftest import OpenStore
from .dump import dump

_VERSIONS = sorted(Path(__file__).with_name("versions").glob("*.sql"))


def test_every_schema_step_has_a_store_of_its_version() -> None:
    folder = resources.files("folkmoot.storage").joinpath("schema")
    steps = sorted(file.name for file in folder.iterdir())
    assert steps == [f"{number:03}.sql" for number in range(1, SCHEMA_VERSION + 1)]
    assert [file.name for file in _VERSIONS] == steps


def _restore(path: Path, version: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(version.read_text())
    connection.close()


@pytest.mark.parametrize("version", _VERSIONS, ids=lambda path: path.stem)
async def test_a_store_of_an_earlier_version_reads_as_it_did(
    open_store: OpenStore, tmp_path: Path, version: Path
) -> None:
    path = tmp_path / "store.sqlite3"
    _restore(path, version)
    room = make_room("ada", "ben")
    store = await open_store(room.owner)
    (conversation,) = await store.conversations()
    page = await store.page(conversation.id)
    assert [(m.text, m.edited, m.reply_count) for m in page.messages] == [
        ("Edited by version 1", True, 1)
    ]
    assert await store.setting("window.theme") == "dark"
    before = dump(path)
    await store.rebuild()
    assert dump(path) == before


def test_a_store_of_this_version_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    Database(path).dispose()
    before = path.read_bytes()
    Database(path).dispose()
    assert path.read_bytes() == before
