"""The mailbox in a file: kept over restarts, crashes and a full disk, and never much too large."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import DeviceId
from folkmoot_signaling import mailbox_file
from folkmoot_signaling.mailbox import MailLimits, Receipt
from folkmoot_signaling.mailbox_file import FileMailbox

A, B = (DeviceId(bytes([n]) * 32) for n in (1, 2))
NOW = 1_000_000.0
_WRITER = Path(__file__).with_name("mailbox_writer.py")


def id_(n: int) -> bytes:
    return n.to_bytes(16, "big")


async def open_at(path: Path, now: float = NOW) -> FileMailbox:
    return await FileMailbox.open(path, MailLimits(), lambda: now)


async def sealed(mailbox: FileMailbox) -> list[bytes]:
    return [letter.sealed for letter in await mailbox.waiting(B, 0, 10**9)]


async def test_what_waits_is_there_after_a_restart_and_what_was_taken_or_expired_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state" / "mail"
    mailbox = await open_at(path)
    for n, keep_s in enumerate((600, 3600, 3600, 3600)):
        await mailbox.put(B, A, "x", id_(n), b"%d" % n, keep_s)
    await mailbox.taken(B, [id_(2)])
    await mailbox.aclose()
    again = await open_at(path, NOW + 601)
    assert await sealed(again) == [b"1", b"3"]
    assert again.usage() == (2, 2)
    assert await again.put(B, A, "x", id_(1), b"x", 10**6) == Receipt(2999)
    await again.aclose()
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("cut", [1, 7, 8, 9, 60, 120])
async def test_a_torn_tail_is_cut_and_the_rest_is_kept(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "mail"
    mailbox = await open_at(path)
    await mailbox.put(B, A, "x", id_(1), b"whole", 3600)
    await mailbox.aclose()
    whole = path.stat().st_size
    mailbox = await open_at(path)
    await mailbox.put(B, A, "x", id_(2), bytes(200), 3600)
    await mailbox.aclose()
    os.truncate(path, path.stat().st_size - cut)
    again = await open_at(path)
    assert await sealed(again) == [b"whole"]
    assert path.stat().st_size == whole
    await again.put(B, A, "x", id_(3), b"after", 3600)
    await again.aclose()
    third = await open_at(path)
    assert await sealed(third) == [b"whole", b"after"]
    await third.aclose()


async def test_a_damaged_record_is_never_delivered(tmp_path: Path) -> None:
    path = tmp_path / "mail"
    mailbox = await open_at(path)
    await mailbox.put(B, A, "x", id_(1), b"whole", 3600)
    at = path.stat().st_size
    await mailbox.put(B, A, "x", id_(2), bytes(200), 3600)
    with path.open("r+b") as file:
        file.seek(at + 150)
        file.write(b"\xff")
    assert await sealed(mailbox) == [b"whole"]
    await mailbox.aclose()
    again = await open_at(path)
    assert await sealed(again) == [b"whole"]
    await again.aclose()


async def test_a_page_of_which_nothing_can_be_read_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "mail"
    mailbox = await open_at(path)
    for n in range(4):
        await mailbox.put(B, A, "x", id_(n), b"envelope %d" % n, 3600)
    content = path.read_bytes()
    for n in range(3):
        content = content.replace(b"envelope %d" % n, b"damaged! %d" % n)
    path.write_bytes(content)
    [letter] = await mailbox.waiting(B, 0, 1)  # a page for each
    assert letter.sealed == b"envelope 3"
    assert await mailbox.waiting(B, letter.number, 1) == []
    await mailbox.aclose()


async def test_another_file_is_not_taken_for_a_mailbox(tmp_path: Path) -> None:
    path = tmp_path / "letter"
    path.write_bytes(b"Dear reader, this is no mailbox at all.")
    with pytest.raises(EnvironmentFault, match="not a mailbox"):
        await open_at(path)
    assert path.read_bytes().startswith(b"Dear reader")


async def test_a_mailbox_serves_one_server_at_a_time(tmp_path: Path) -> None:
    mailbox = await open_at(tmp_path / "mail")
    with pytest.raises(EnvironmentFault) as caught:
        await open_at(tmp_path / "mail")
    assert caught.value.code == "mailbox_unusable"
    await mailbox.aclose()
    await (await open_at(tmp_path / "mail")).aclose()


async def test_the_file_is_written_anew_when_most_of_it_is_of_no_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox_file, "MAX_DEAD_BYTES", 50_000)
    path = tmp_path / "mail"
    mailbox = await open_at(path)
    await mailbox.put(B, A, "x", id_(0), b"stays", 3600)
    largest = 0
    for n in range(1, 100):
        puts = [mailbox.put(B, A, "x", id_(10 * n + k), bytes(2000), 3600) for k in range(5)]
        assert set(await asyncio.gather(*puts)) == {Receipt(3600)}
        await mailbox.taken(B, [id_(10 * n + k) for k in range(5)])
        largest = max(largest, path.stat().st_size)
    assert largest < 80_000
    await mailbox.put(B, A, "x", id_(1), b"last", 3600)
    assert await sealed(mailbox) == [b"stays", b"last"]
    await mailbox.aclose()
    again = await open_at(path)
    assert await sealed(again) == [b"stays", b"last"]
    await again.aclose()


async def test_what_comes_while_the_file_is_written_anew_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mail"
    mailbox = await open_at(path)
    await mailbox.put(B, A, "x", id_(0), bytes(10_000), 3600)
    await mailbox.taken(B, [id_(0)])
    go_on = threading.Event()
    mailbox._thread.submit(go_on.wait, 60)
    before = asyncio.ensure_future(mailbox.put(B, A, "x", id_(1), b"before", 3600))
    await asyncio.sleep(0)
    monkeypatch.setattr(mailbox_file, "MAX_DEAD_BYTES", 1000)
    puts = [
        asyncio.ensure_future(mailbox.put(B, A, "x", id_(n), b"%d" % n, 3600)) for n in (2, 3, 4)
    ]
    await asyncio.sleep(0)
    go_on.set()
    assert set(await asyncio.gather(before, *puts)) == {Receipt(3600)}
    assert path.stat().st_size < 2000
    await mailbox.taken(B, [id_(3)])
    await mailbox.aclose()
    again = await open_at(path)
    assert await sealed(again) == [b"before", b"2", b"4"]
    await again.aclose()


async def test_puts_that_come_together_share_a_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = await open_at(tmp_path / "mail")
    syncs = []
    sync = os.fsync

    def counted(fd: int) -> None:
        syncs.append(fd)
        sync(fd)

    monkeypatch.setattr(os, "fsync", counted)
    puts = [mailbox.put(B, A, "x", id_(n), b"x", 600) for n in range(100)]
    assert set(await asyncio.gather(*puts)) == {Receipt(600)}
    assert 1 <= len(syncs) <= 10
    await mailbox.aclose()


async def test_on_a_full_disk_it_is_refused_and_later_it_works_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = await open_at(tmp_path / "mail")
    await mailbox.put(B, A, "x", id_(1), b"before", 600)

    def full(_fd: int, _data: bytes, _offset: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "pwrite", full)
        assert await mailbox.put(B, A, "x", id_(2), b"lost", 600) == Receipt(0, "busy")
        assert await mailbox.put(B, A, "x", id_(1), b"before", 600) == Receipt(600)
    assert await sealed(mailbox) == [b"before"]
    assert mailbox.usage() == (1, 6)
    assert await mailbox.put(B, A, "x", id_(2), b"now", 600) == Receipt(600)
    await mailbox.aclose()
    again = await open_at(tmp_path / "mail")
    assert await sealed(again) == [b"before", b"now"]
    await again.aclose()


def _write_and_kill(path: Path, after_lines: int) -> list[str]:
    """Run the writer, kill it after so many lines, and return what it told."""
    child = subprocess.Popen(
        [sys.executable, str(_WRITER), str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
    )
    assert child.stdout is not None
    told = [child.stdout.readline() for _ in range(after_lines)]
    child.kill()
    # By the same reader: it holds lines already that were written meanwhile.
    rest = child.stdout.read()
    child.stdout.close()
    child.wait(30)
    return told + [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]


@pytest.mark.parametrize("after_lines", [1, 40, 150])
async def test_kill_9_in_the_middle_loses_nothing_that_was_said_to_be_kept(
    tmp_path: Path, after_lines: int
) -> None:
    path = tmp_path / "mail"
    told = await asyncio.to_thread(_write_and_kill, path, after_lines)
    mailbox = await FileMailbox.open(path, MailLimits(), lambda: NOW)
    kept = {letter.id: letter.sealed for letter in await mailbox.waiting(B, 0, 10**9)}
    taken = {id_(int(line.split()[1])) for line in told if line.startswith("taken")}
    said = {id_(int(line.split()[1])) for line in told if line.startswith("kept")}
    assert said - taken <= kept.keys()
    assert all(content == id * 500 for id, content in kept.items())
    assert await mailbox.put(B, A, "x", b"z" * 16, b"goes on", 600) == Receipt(600)
    await mailbox.aclose()
