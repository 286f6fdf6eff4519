"""The virtual environment: quick when nothing changed, done again when something did."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).parents[3] / "packaging" / "setup" / "environment.sh"

SetUp = Callable[[], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the environment is made."""
    return tmp_path / "environment"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock without any package."""
    path = tmp_path / "lock.txt"
    path.write_text("# nothing\n")
    return path


@pytest.fixture
def set_up(folder: Path, lock: Path) -> SetUp:
    """Run the script once."""

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [_SCRIPT, folder, lock],
            env=os.environ | {"PYTHON": _find_python()},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    return run


def _find_python() -> str:
    """A Python that has pip: the one the environment of the tests was made from."""
    return str(Path(sys.base_prefix, "bin", "python3"))


def test_the_second_time_does_nothing(folder: Path, set_up: SetUp) -> None:
    first = set_up()
    assert first.returncode == 0, first.stderr
    mark = folder / "mark"
    mark.touch()
    second = set_up()
    assert (second.returncode, second.stdout) == (0, "")
    assert mark.exists()


def test_a_changed_lock_makes_it_anew(folder: Path, lock: Path, set_up: SetUp) -> None:
    set_up()
    (folder / "mark").touch()
    lock.write_text("# still nothing\n")
    assert set_up().returncode == 0
    assert not (folder / "mark").exists()


def test_an_interrupted_set_up_is_not_taken_for_done(folder: Path, set_up: SetUp) -> None:
    set_up()
    (folder / ".complete").unlink()
    (folder / "mark").touch()
    assert set_up().returncode == 0
    assert not (folder / "mark").exists()


def test_a_failed_set_up_ends_with_an_error_and_no_stamp(
    folder: Path, lock: Path, set_up: SetUp
) -> None:
    lock.write_text(f"./missing-1.0-py3-none-any.whl --hash=sha256:{'0' * 64}\n")
    assert set_up().returncode != 0
    assert not (folder / ".complete").exists()


def test_a_package_without_a_hash_is_refused(folder: Path, lock: Path, set_up: SetUp) -> None:
    lock.write_text("iniconfig==2.0.0\n")
    done = set_up()
    assert done.returncode != 0
    assert "hash" in done.stderr.lower()
    assert not (folder / ".complete").exists()


def test_the_environment_runs_python(folder: Path, set_up: SetUp) -> None:
    set_up()
    done = subprocess.run(
        [folder / "bin" / "python", "-c", "import sys; print(sys.prefix)"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert Path(done.stdout.strip()) == folder
