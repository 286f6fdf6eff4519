"""Finds ELF files, and takes out of them where the machine that built them looked for libraries.

A Python that was built by hand leaves its own folder as the search path in each of its modules. On
another computer that folder is not there, or is somebody else's. Paths that begin with ``$ORIGIN``
are relative and stay. 64-bit little-endian files only, which all are that we build for.
"""

from __future__ import annotations

import struct
from pathlib import Path

_HEAD = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_ENTRY = struct.Struct("<qQ")
_LOAD, _DYNAMIC = 1, 2
_NULL, _STRINGS, _RPATH, _RUNPATH = 0, 5, 15, 29


def find_elf(folder: Path) -> list[Path]:
    """The ELF files below `folder`, sorted; links are left out."""
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.is_symlink() and is_elf(file)
    ]


def is_elf(file: Path) -> bool:
    """Whether it begins as an ELF file."""
    with file.open("rb") as opened:
        return opened.read(4) == b"\x7fELF"


def forget_foreign_paths(file: Path) -> bool:
    """Take search paths out of `file` that are not relative to it; whether there were any."""
    data = bytearray(file.read_bytes())
    if data[4:6] != b"\x02\x01":
        return False
    segments = _segments(data)
    dynamic = next(((at, size) for kind, at, _, size in segments if kind == _DYNAMIC), None)
    if dynamic is None:
        return False
    at, size = dynamic
    entries = [_ENTRY.unpack_from(data, at + n) for n in range(0, size, _ENTRY.size)]
    strings = next((value for tag, value in entries if tag == _STRINGS), 0)
    start = _place_of(strings, segments)
    kept = [
        (tag, value)
        for tag, value in entries
        if tag not in (_RPATH, _RUNPATH) or _is_relative(_text(data, start + value))
    ]
    if len(kept) == len(entries):
        return False
    kept += [(_NULL, 0)] * (len(entries) - len(kept))
    for number, entry in enumerate(kept):
        _ENTRY.pack_into(data, at + number * _ENTRY.size, *entry)
    file.write_bytes(data)
    return True


def _segments(data: bytearray) -> list[tuple[int, int, int, int]]:
    """Kind, place in the file, address, size in the file of each segment."""
    head = _HEAD.unpack_from(data)
    place, size, count = head[5], head[9], head[10]
    found = []
    for number in range(count):
        kind, _, offset, address, _, length, _, _ = _SEGMENT.unpack_from(
            data, place + number * size
        )
        found.append((kind, offset, address, length))
    return found


def _place_of(address: int, segments: list[tuple[int, int, int, int]]) -> int:
    """Where in the file the byte is that is loaded at `address`."""
    for kind, offset, begin, size in segments:
        if kind == _LOAD and begin <= address < begin + size:
            return offset + address - begin
    raise ValueError("A string table outside of what is loaded.")


def _text(data: bytearray, at: int) -> str:
    return data[at : data.index(0, at)].decode()


def _is_relative(paths: str) -> bool:
    return all(path.startswith("$ORIGIN") for path in paths.split(":"))
