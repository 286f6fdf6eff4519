"""Disk full, read-only, damaged and newer stores: said in words, and over when the cause is."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from builders.rooms import make_room
from builders.writers import Writer
from folkmoot.domain.bodies import Delete
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.services.values import Draft
from folkmoot.storage.database import SCHEMA_VERSION, Database
from folkmoot.storage.faults import fault_of
from folkmoot.storage.lanes import InlineLanes

from .conftest import OpenStore

ADA = Writer("ada")


async def test_a_store_of_a_newer_program_is_refused_and_left_as_it_is(
    open_store: OpenStore, tmp_path: Path
) -> None:
    path = tmp_path / "store.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(EnvironmentFault) as caught:
        await open_store(ADA)
    assert caught.value.code == "store_newer"
    assert "newer Folkmoot" in caught.value.message
    tables = sqlite3.connect(path).execute("SELECT count(*) FROM sqlite_schema")
    assert tables.fetchone() == (0,)


async def test_a_file_that_is_no_store_is_called_damaged(
    open_store: OpenStore, tmp_path: Path
) -> None:
    (tmp_path / "store.sqlite3").write_bytes(b"these are not the bytes you look for" * 200)
    with pytest.raises(EnvironmentFault) as caught:
        await open_store(ADA)
    assert caught.value.code == "store_damaged"


async def test_a_damaged_page_is_found_when_the_last_end_was_not_clean(
    open_store: OpenStore, tmp_path: Path
) -> None:
    room = make_room("ada")
    for number in range(200):
        room.say(room.owner, f"message {number} " * 20)
    store = await open_store(room.owner)
    await store.append(room.entries())
    await store.aclose()
    path = tmp_path / "store.sqlite3"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xff" * 8192)
    path.with_name("store.sqlite3-wal").write_bytes(b"torn")
    with pytest.raises(EnvironmentFault) as caught:
        await open_store(room.owner)
    assert caught.value.code == "store_damaged"
    assert path.stat().st_size == size


async def test_a_full_disk_is_said_and_over_when_there_is_room(
    open_store: OpenStore, tmp_path: Path
) -> None:
    room = make_room("ada")
    store = await open_store(room.owner)
    said = room.say(room.owner, "before it was full")
    await store.append(room.entries())
    await _limit_pages(store._lanes, 0)
    long = [room.say(room.owner, f"{number} long words " * 1000) for number in range(40)]
    with pytest.raises(EnvironmentFault) as caught:
        await store.append(long)
    assert caught.value.code == "disk_full"
    assert "Free some space" in caught.value.hint
    assert (tmp_path / "store.sqlite3.reserve").exists()
    assert (await store.page(room.channel)).total == 1
    await _limit_pages(store._lanes, 100_000)
    appended = await store.append(long)
    assert len(appended.created) == 40
    assert (await store.message(said.id)) is not None


async def test_a_delete_gives_the_reserve_back_when_the_disk_is_full(
    open_store: OpenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = make_room("ada")
    store = await open_store(room.owner)
    said = room.say(room.owner, "to be deleted")
    await store.append(room.entries())
    reserve = tmp_path / "store.sqlite3.reserve"
    assert reserve.stat().st_size > 0
    real = store._append

    def full_while_reserved(*args: object) -> object:
        if reserve.exists():
            raise _sqlite_error(sqlite3.SQLITE_FULL)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "_append", full_while_reserved)
    more = room.say(room.owner, "more")
    with pytest.raises(EnvironmentFault, match="disk is full"):
        await store.append([more])
    assert reserve.exists()
    monkeypatch.setattr(store, "_append", real)
    await store.append([more])
    monkeypatch.setattr(store, "_append", full_while_reserved)
    delete = room.owner.write(room.channel, room.grants["ada"], Delete(said.id))
    appended = await store.append([delete])
    assert appended.changed[0][0].deleted
    assert not reserve.exists()


async def _limit_pages(lanes: object, more: int) -> None:
    """Let the file of the writer grow by so many pages."""

    def limit(rows: object) -> None:
        ((count,),) = rows.all("PRAGMA page_count")  # type: ignore[attr-defined]
        rows.all(f"PRAGMA max_page_count = {count + more}")  # type: ignore[attr-defined]

    await lanes.write(limit)  # type: ignore[attr-defined]


def _sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("made up")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (sqlite3.SQLITE_FULL, "disk_full"),
        (sqlite3.SQLITE_READONLY, "read_only"),
        (sqlite3.SQLITE_CANTOPEN, "read_only"),
        (sqlite3.SQLITE_CORRUPT, "store_damaged"),
        (sqlite3.SQLITE_NOTADB, "store_damaged"),
        (sqlite3.SQLITE_IOERR | (12 << 8), "disk_failed"),
        (sqlite3.SQLITE_BUSY, "store_busy"),
    ],
)
def test_errors_of_the_disk_are_told_in_words(code: int, name: str) -> None:
    fault = fault_of(_sqlite_error(code))
    assert fault is not None
    assert fault.code == name
    assert fault.message.endswith(".")
    assert fault.hint


def test_an_error_of_ours_is_not_blamed_on_the_disk() -> None:
    assert fault_of(_sqlite_error(sqlite3.SQLITE_CONSTRAINT)) is None
    assert fault_of(ValueError("ours")) is None


async def test_a_fault_fails_every_job_of_its_batch_and_the_next_goes_on(
    open_store: OpenStore,
) -> None:
    store = await open_store(ADA)

    def fail(rows: object) -> None:
        rows.run("INSERT INTO setting VALUES ('half', 'done')")  # type: ignore[attr-defined]
        raise _sqlite_error(sqlite3.SQLITE_IOERR)

    with pytest.raises(EnvironmentFault, match="disk does not answer"):
        await store._lanes.write(fail)
    assert await store.setting("half") is None
    await store.set_setting("whole", "done")
    assert await store.setting("whole") == "done"


async def test_a_bug_in_a_job_reaches_who_asked_and_undoes_only_that_job(
    open_store: OpenStore,
) -> None:
    store = await open_store(ADA)

    def wrong(rows: object) -> None:
        rows.run("INSERT INTO setting VALUES ('half', 'done')")  # type: ignore[attr-defined]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store._lanes.write(wrong)
    assert await store.setting("half") is None


async def test_a_closed_store_says_so(open_store: OpenStore) -> None:
    store = await open_store(ADA)
    await store.aclose()
    await store.aclose()
    with pytest.raises(EnvironmentFault, match="closed"):
        await store.set_setting("a", "b")


@pytest.mark.blocks_loop("runs every job at once")
async def test_a_store_in_memory_works_without_threads(open_store: OpenStore) -> None:
    room = make_room("ada")
    room.say(room.owner, "only here")
    store = await open_store(room.owner, ":memory:", InlineLanes())
    await store.append(room.entries())
    await store.save_draft(Draft(room.channel, None, "draft"))
    assert (await store.page(room.channel)).total == 1
    assert (await store.counts())[:2] == (1, 1)


def test_a_folder_that_cannot_be_written_to_is_said_and_works_when_it_can(
    tmp_path: Path,
) -> None:
    profile = tmp_path / "profile"
    profile.mkdir()
    path = profile / "store.sqlite3"
    Database(path).dispose()
    os.chmod(path, 0o444)
    os.chmod(profile, 0o555)
    os.chmod(tmp_path, 0o755)
    for parent in tmp_path.parents[:2]:
        os.chmod(parent, 0o755)
    assert _in_child(_open_code, path) == "read_only"
    os.chmod(profile, 0o777)
    os.chmod(path, 0o666)
    for name in profile.iterdir():
        os.chmod(name, 0o666)
    assert _in_child(_open_code, path) == ""


def _open_code(path: Path) -> str:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    try:
        Database(path).dispose()
    except EnvironmentFault as fault:
        return fault.code
    return ""


def _in_child(work: Callable[[Path], str], path: Path) -> str:
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=lambda: answers.put(work(path)))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    answer = answers.get()
    assert isinstance(answer, str)
    return answer
