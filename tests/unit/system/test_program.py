"""Whether an update has put another program in the place of the one that runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from folkmoot.system.program import ProgramFile

_NOWHERE = Path("/no/such/file")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "folkmoot"
    made.write_bytes(b"the old one")
    return made


def _replace(file: Path) -> None:
    """As dpkg does it, also when the bytes are the same."""
    fresh = file.with_suffix(".dpkg-new")
    fresh.write_bytes(file.read_bytes())
    fresh.rename(file)


def test_another_file_in_its_place_is_noticed(file: Path) -> None:
    program = ProgramFile(file, running=_NOWHERE)
    assert not program.is_replaced()
    _replace(file)
    assert program.is_replaced()


def test_a_file_that_was_replaced_before_anybody_looked_is_noticed(
    file: Path, tmp_path: Path
) -> None:
    running = tmp_path / "exe"
    running.hardlink_to(file)
    _replace(file)
    assert ProgramFile(file, running=running).is_replaced()


def test_a_program_that_is_gone_is_not_replaced(file: Path) -> None:
    program = ProgramFile(file, running=_NOWHERE)
    file.unlink()
    assert not program.is_replaced()


def test_from_source_nothing_is_replaced(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(file))
    program = ProgramFile(running=_NOWHERE)
    _replace(file)
    assert not program.is_replaced()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    program = ProgramFile(running=_NOWHERE)
    _replace(file)
    assert program.is_replaced()
