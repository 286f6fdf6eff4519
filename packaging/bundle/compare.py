"""`compare.py A B`: compare two builds file by file and list every difference.

Compares names, kinds, rights, where links lead, times and bytes. The program is looked into: which
of the parts that PyInstaller packed differ. Exit status: 0 alike, 1 not.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

Parts = Callable[[Path], dict[str, bytes]]


def differences(first: Path, second: Path, parts: Parts | None = None) -> Iterator[str]:
    """A line for each difference; `parts` takes a file apart that differs, if it can."""
    ours, theirs = _files(first), _files(second)
    for name in sorted(ours | theirs):
        if name not in ours or name not in theirs:
            yield f"{name}: only in {first if name in ours else second}"
            continue
        yield from _compare(name, first / name, second / name, parts)


def _files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*")}


def _compare(name: str, a: Path, b: Path, parts: Parts | None) -> Iterator[str]:
    here, there = a.lstat(), b.lstat()
    if stat.S_IFMT(here.st_mode) != stat.S_IFMT(there.st_mode):
        yield f"{name}: of another kind"
        return
    if here.st_mode != there.st_mode:
        yield f"{name}: rights {here.st_mode & 0o7777:o} and {there.st_mode & 0o7777:o}"
    if int(here.st_mtime) != int(there.st_mtime):
        yield f"{name}: times {int(here.st_mtime)} and {int(there.st_mtime)}"
    if a.is_symlink():
        if a.readlink() != b.readlink():
            yield f"{name}: leads to {os.readlink(a)} and to {os.readlink(b)}"
    elif a.is_file() and _digest(a) != _digest(b):
        yield f"{name}: bytes ({here.st_size} and {there.st_size})"
        if parts is not None:
            yield from (f"{name}: in {part}" for part in _differing(parts(a), parts(b)))


def _differing(a: dict[str, bytes], b: dict[str, bytes]) -> list[str]:
    return sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def frozen_parts(path: Path) -> dict[str, bytes]:
    """What PyInstaller packed into the program `path`; nothing for other files."""
    if path.suffix not in ("", ".exe"):
        return {}
    from PyInstaller.archive.readers import ArchiveReadError, CArchiveReader

    try:
        archive = CArchiveReader(str(path))
    except ArchiveReadError:
        return {}
    found = {name: archive.extract(name) for name in archive.toc if not name.startswith("PYZ")}
    for name in archive.toc:
        if name.startswith("PYZ"):
            modules = archive.open_embedded_archive(name)
            found |= {f"module {each}": modules.extract(each, raw=True) for each in modules.toc}
    return found


def main(arguments: list[str]) -> int:
    """Print the differences."""
    if len(arguments) != 2:
        print("compare.py A B: two folders", file=sys.stderr)
        return 2
    first, second = map(Path, arguments)
    found = list(differences(first, second, frozen_parts))
    print("\n".join(found) or f"alike: {len(_files(first))} files and folders")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
