"""Stores of every earlier version open, step up and read as they did.

`versions/NNN.sql` is a store as version NNN left it; one is added with each schema step.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from importlib import resources
from pathlib import Path

import pytest

from builders.rooms import make_room
from builders.writers import START_MS, Writer, seed
from folkmoot.domain.bodies import CALL_STARTED, Body, CallBody, RecordingBody
from folkmoot.domain.ids import ConversationId, EntryId
from folkmoot.domain.timestamps import Stamp
from folkmoot.protocol.codec import pack
from folkmoot.protocol.entries import make_entry
from folkmoot.services.call_values import Chapter
from folkmoot.storage.database import Database
from folkmoot.storage.rows import SCHEMA_VERSION

from .conftest import OpenStore
from .dump import dump, dump_base

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
    assert [(m.text, m.edited, m.reply_count) for m in page.messages if m.call is None] == [
        ("Edited by version 1", True, 1)
    ]
    calls = [(m.call.names, m.call.duration_s) for m in page.messages if m.call is not None]
    expected = [] if version.stem == "001" else [(("ben's computer", "ada's computer"), 754)]
    assert calls == expected
    assert await store.setting("window.theme") == "dark"
    kept = [(one.duration_s, one.chapters) for one in await store.recordings()]
    told = [one.seconds for m in page.messages if m.call is not None for one in m.call.recorded]
    with_recordings = version.stem not in ("001", "002")
    assert (kept, told) == (
        ([(61.5, (Chapter(3.5, "joined", "ben joined"),))], [60]) if with_recordings else ([], [])
    )
    before = dump(path)
    await store.rebuild()
    assert dump(path) == before


@pytest.mark.parametrize("version", _VERSIONS[:2], ids=lambda path: path.stem)
async def test_what_earlier_versions_kept_without_effect_is_shown(
    open_store: OpenStore, tmp_path: Path, version: Path
) -> None:
    path = tmp_path / "store.sqlite3"
    _restore(path, version)
    ada = make_room("ada", "ben").owner
    malformed = pack([bytes(16), b"which version 1 could not know"])
    conversation = _add_calls(path, ada, malformed)
    store = await open_store(ada)
    messages = (await store.page(conversation)).messages
    calls = [m.call for m in messages if m.call is not None and m.call.id == seed("call", 1)]
    assert [[one.person for one in call.recorded] for call in calls] == [[ada.person]]
    before = dump(path)
    await store.rebuild()
    assert dump(path) == before


def _add_calls(path: Path, writer: Writer, malformed: bytes) -> ConversationId:
    """Put a call, a recording and malformed ones at the end of the writer's log, as versions that
    did not know them kept them."""
    connection = sqlite3.connect(path)
    sql = "SELECT l.key, c.id, l.grant_id, l.head, l.sequence FROM log l JOIN conversation c"
    log, conversation, grant, head, first = connection.execute(
        f"{sql} ON c.key = l.conversation WHERE l.conversation = 2 AND l.device = ?",
        (writer.device,),
    ).fetchone()
    call, began = CallBody(seed("call", 1), CALL_STARTED), RecordingBody(seed("call", 1), 1)
    rows: list[tuple[int, Body, bytes | None]] = [
        *((66, call, None), (66, call, malformed)),
        *((67, began, None), (67, began, malformed)),
    ]
    for number, (kind, made, body) in enumerate(rows, first + 1):
        entry = make_entry(
            writer.device_key,
            conversation=ConversationId(conversation),
            grant=EntryId(grant),
            sequence=number,
            previous=EntryId(head),
            stamp=Stamp(START_MS + number, 0),
            body=made,
            salt=bytes(16),
        )
        connection.execute(
            "INSERT INTO entry (log, sequence, id, header, body, kind, arrived_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (log, number, entry.id, entry.header_bytes, body or entry.body, kind, START_MS),
        )
        head = entry.id
    connection.commit()
    connection.close()
    return ConversationId(conversation)


def test_a_store_of_this_version_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    Database(path).dispose()
    before = path.read_bytes()
    Database(path).dispose()
    assert path.read_bytes() == before


_DEATHS = 24


def _tables(path: Path) -> tuple[int, list[tuple[object, ...]], dict[str, int]]:
    """Version, tables as they were made, and rows of what no step may lose."""
    connection = sqlite3.connect(path)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    schema = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2")
    made = schema.fetchall()
    rows = {
        name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
        for name in ("entry", "log", "conversation", "setting", "draft")
    }
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    return version, made, rows


@pytest.mark.parametrize("version", _VERSIONS[:-1], ids=lambda path: path.stem)
async def test_a_step_that_is_killed_was_made_or_not(
    open_store: OpenStore, tmp_path: Path, version: Path
) -> None:
    """Kill -9 anywhere while an old store is brought up to date: each step is whole or not there,
    and the next start brings it where an undisturbed one does."""
    old = tmp_path / "old.sqlite3"
    _restore(old, version)
    begin = int(version.stem)
    whole = {begin: _tables(old)}
    for step in range(begin + 1, SCHEMA_VERSION + 1):
        path = tmp_path / f"at-{step}.sqlite3"
        _restore(path, version)
        connection = sqlite3.connect(path)
        for made in range(begin + 1, step + 1):
            file = resources.files("folkmoot.storage").joinpath(f"schema/{made:03}.sql")
            connection.executescript(file.read_text())
        connection.execute(f"PRAGMA user_version = {step}")
        connection.close()
        whole[step] = _tables(path)
    killer = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("migration_killer.py"))),
        *(str(old), str(tmp_path), str(_DEATHS)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
    )
    said, _ = await killer.communicate()
    assert int(said) == _DEATHS
    seen = set()
    expected = (dump(tmp_path / "whole.sqlite3"), dump_base(tmp_path / "whole.sqlite3"))
    for number in range(_DEATHS):
        found = _tables(tmp_path / f"{number}.sqlite3")
        assert found == whole[found[0]]
        seen.add(found[0])
        store = await open_store(make_room("ada", "ben").owner, f"{number}.sqlite3")
        await store.aclose()
        path = tmp_path / f"{number}.sqlite3"
        assert (dump(path), dump_base(path)) == expected
    assert seen == set(whole)
