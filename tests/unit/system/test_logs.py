"""The log file: bounded, private, written off the loops."""

from __future__ import annotations

import asyncio
import errno
import logging
import stat
import sys
from pathlib import Path

import pytest

from folkmoot.build import build
from folkmoot.system import logs
from folkmoot.system.logs import LogFile

log = logging.getLogger("tests.logs")


async def test_logging_on_a_loop_touches_no_file_there(tmp_path: Path) -> None:
    """The guard of all tests fails this one if a file is opened on this thread."""
    file = await asyncio.to_thread(LogFile, tmp_path / "node.log")
    log.warning("from %s", "the loop")
    try:
        raise ValueError("seen")
    except ValueError:
        log.exception("with a traceback")
    await asyncio.to_thread(file.close)
    written = await asyncio.to_thread((tmp_path / "node.log").read_text)
    assert "WARNING tests.logs: from the loop" in written
    assert "ValueError: seen" in written


def test_the_first_line_says_what_runs(tmp_path: Path) -> None:
    LogFile(tmp_path / "node.log").close()
    first = (tmp_path / "node.log").read_text().splitlines()[0]
    assert first.endswith(f" INFO folkmoot.system.logs: Folkmoot {build().words}")


def test_the_files_are_private_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_FILE_BYTES", 10_000)
    file = LogFile(tmp_path / "node.log")
    for number in range(1000):
        log.info("line %d of many, long enough to fill several files in a short time", number)
    file.close()
    files = list(tmp_path.iterdir())
    assert len(files) == logs.KEPT_FILES + 1
    assert all(one.stat().st_size <= 10_000 for one in files)
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}


def test_what_nobody_catches_is_in_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, _error, _trace: told.append(kind))
    file = LogFile(tmp_path / "node.log")
    try:
        raise RuntimeError("a bug of ours")
    except RuntimeError as error:
        sys.excepthook(RuntimeError, error, error.__traceback__)
    file.close()
    assert told == [RuntimeError]
    written = (tmp_path / "node.log").read_text()
    assert "CRITICAL" in written
    assert "RuntimeError: a bug of ours" in written


def test_a_disk_that_is_full_at_the_end_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LogFile(tmp_path / "node.log")
    close = log._file.close

    def refuse() -> None:
        close()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(log._file, "close", refuse)
    log.close()


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "node.log").mkdir()
    file = LogFile(tmp_path / "node.log")
    log.warning("lost")
    file.close()
