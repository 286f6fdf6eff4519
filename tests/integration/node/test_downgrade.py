"""A profile that a newer program used: every command of this one says so and changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from folkmoot import __version__

_PASSING = ("-shm", ".log", "lock", ".sock")
"""Memory that readers share, what is told, and who runs now."""


_FOLKMOOT = (sys.executable, "-m", "folkmoot")
_QUIET = ("--no-discovery", "--listen", "127.0.0.1:0")


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def _run(profile: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_FOLKMOOT, *arguments, "--profile", str(profile)],
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.stat().st_size and not path.name.endswith(_PASSING)
    }


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A profile of this program that a newer one has opened since."""
    folder = tmp_path / "p"
    with subprocess.Popen(
        [*_FOLKMOOT, "node", "--profile", str(folder), *_QUIET],
        env=_environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as node:
        assert node.stdout is not None
        assert json.loads(node.stdout.readline())["ready"] is True
        node.terminate()
        assert node.wait(30) == 0
    with sqlite3.connect(folder / "store.sqlite3") as connection:
        connection.execute("UPDATE meta SET value = CAST('9.8.7' AS BLOB) WHERE key = 'program'")
        connection.execute("PRAGMA user_version = 9999")
    connection.close()
    return folder


def _is_kind(words: str, profile: Path) -> bool:
    return (
        f"used by a newer Folkmoot (9.8.7), and this one ({__version__}) cannot read it" in words
        and f"start with another --profile than {profile}" in words
        and "Traceback" not in words
    )


def test_no_command_touches_what_a_newer_program_wrote(profile: Path) -> None:
    before = _hashes(profile)
    assert {"store.sqlite3", "identity/person.key"} <= set(before)
    done = _run(profile, "node", *_QUIET)
    assert done.returncode == 3
    told = json.loads(done.stdout)
    assert (told["ready"], told["error"]["code"]) == (False, "store_newer")
    assert _is_kind(done.stderr, profile)
    for command in ("rebuild", "doctor"):
        done = _run(profile, command)
        assert done.returncode == 1
        assert _is_kind(done.stderr, profile)
    assert _hashes(profile) == before
