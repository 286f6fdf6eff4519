"""Disk full, read-only, damaged and newer stores: said in words, and over when the cause is."""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from builders.rooms import make_room
from builders.writers import Writer
from folkmoot import __version__
from folkmoot.domain.bodies import Delete
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.services.values import Draft
from folkmoot.storage.database import Database
from folkmoot.storage.faults import fault_of
from folkmoot.storage.first_page import read_first_page
from folkmoot.storage.lanes import InlineLanes
from folkmoot.storage.rows import SCHEMA_VERSION

from .conftest import OpenStore

ADA = Writer("ada")


def _hashes(folder: Path) -> dict[str, str]:
    """Every file that holds something; not what readers share, nor an empty log of theirs."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if not path.name.endswith("-shm") and path.stat().st_size
    }


def _make_newer(path: Path, program: bytes | None = b"9.8.7", die: Path | None = None) -> None:
    """Do what a program of a later time does: a step more. `die`: the files go there as they are
    before it closes them, with the step in the write-ahead log alone."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE of_tomorrow (a)")
    connection.execute("DELETE FROM meta WHERE key = 'program'")
    if program is not None:
        connection.execute("INSERT INTO meta VALUES ('program', ?)", (program,))
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.commit()
    if die is not None:
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{die}{end}")
        assert os.stat(f"{die}-wal").st_size > 0
    connection.close()


def _make_newer_and_die(path: Path) -> None:
    copy = path.with_name("copy")
    _make_newer(path, die=copy)
    for end in ("", "-wal"):
        os.replace(f"{copy}{end}", f"{path}{end}")


@pytest.mark.parametrize("killed", [False, True])
async def test_a_store_of_a_newer_program_is_refused_and_left_as_it_is(
    open_store: OpenStore, tmp_path: Path, killed: bool
) -> None:
    """Also where the newer one was killed, so that its step is in the write-ahead log alone."""
    room = make_room("ada")
    store = await open_store(room.owner)
    await store.append(room.entries())
    await store.aclose()
    path = tmp_path / "store.sqlite3"
    await asyncio.to_thread(_make_newer_and_die if killed else _make_newer, path)
    before = _hashes(tmp_path)
    for _ in range(2):
        assert await asyncio.to_thread(read_first_page, path) is None
        with pytest.raises(EnvironmentFault) as caught:
            await open_store(room.owner)
        fault = caught.value
        assert fault.code == "store_newer"
        assert f"newer Folkmoot (9.8.7), and this one ({__version__})" in fault.message
        assert "Nothing was changed. Install Folkmoot 9.8.7 or a later one" in fault.hint
        assert str(tmp_path) in fault.hint
        assert _hashes(tmp_path) == before


@pytest.mark.parametrize("program", [None, b"", b"\xff", b"<b>", b"1" * 40])
async def test_who_wrote_a_newer_store_is_named_only_if_it_is_a_version(
    open_store: OpenStore, tmp_path: Path, program: bytes | None
) -> None:
    await (await open_store(ADA)).aclose()
    _make_newer(tmp_path / "store.sqlite3", program)
    with pytest.raises(EnvironmentFault, match="used by a newer Folkmoot, and this one"):
        await open_store(ADA)


async def test_a_newer_store_that_knows_no_names_is_refused_as_well(
    open_store: OpenStore, tmp_path: Path
) -> None:
    path = tmp_path / "store.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    before = _hashes(tmp_path)
    with pytest.raises(EnvironmentFault) as caught:
        await open_store(ADA)
    assert caught.value.code == "store_newer"
    assert _hashes(tmp_path) == before


async def test_who_made_a_step_is_kept(open_store: OpenStore, tmp_path: Path) -> None:
    await (await open_store(ADA)).aclose()
    connection = sqlite3.connect(tmp_path / "store.sqlite3")
    kept = connection.execute("SELECT value FROM meta WHERE key = 'program'").fetchone()
    connection.close()
    assert kept == (__version__.encode(),)


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
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path(tempfile.gettempdir()):
            break
        os.chmod(folder, 0o755)
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
