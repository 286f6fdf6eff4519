"""Two builds, file by file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import compare
import pytest


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    first = tmp_path / "first"
    (first / "lib").mkdir(parents=True)
    (first / "lib" / "a.so").write_bytes(b"same")
    (first / "a.so").symlink_to("lib/a.so")
    second = tmp_path / "second"
    shutil.copytree(first, second, symlinks=True)
    for path in [*first.rglob("*"), *second.rglob("*")]:
        os.utime(path, (7, 7), follow_symlinks=False)
    return first, second


def _alter(second: Path, how: str) -> None:
    library = second / "lib" / "a.so"
    if how == "bytes":
        library.write_bytes(b"sane")
        os.utime(library, (7, 7))
    elif how == "rights":
        library.chmod(0o600)
    elif how == "times":
        os.utime(library, (8, 8))
    elif how == "leads to":
        (second / "a.so").unlink()
        (second / "a.so").symlink_to("elsewhere")
        os.utime(second / "a.so", (7, 7), follow_symlinks=False)
    elif how == "another kind":
        (second / "a.so").unlink()
        (second / "a.so").write_bytes(b"same")
    elif how == "only in":
        (second / "more").mkdir()


def test_equal_builds_have_no_difference(two: tuple[Path, Path]) -> None:
    assert list(compare.differences(*two)) == []


@pytest.mark.parametrize("how", ["bytes", "rights", "times", "leads to", "another kind", "only in"])
def test_a_difference_is_listed(two: tuple[Path, Path], how: str) -> None:
    _alter(two[1], how)
    found = [line for line in compare.differences(*two) if how in line]
    assert len(found) == 1


def test_a_file_that_differs_is_taken_apart(two: tuple[Path, Path]) -> None:
    _alter(two[1], "bytes")
    found = compare.differences(*two, lambda path: {"same": b"", "other": path.read_bytes()})
    assert list(found) == ["lib/a.so: bytes (4 and 4)", "lib/a.so: in other"]
