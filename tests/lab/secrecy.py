"""Looks for words in what a program holds: its memory, its files, its answers.

A word is sought as it is and in every form in which programs here write text or bytes. Compressed
data is opened first. Refuses to be believed without proof: `test_secrecy` shows that each form
is found in a process that holds it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import signal
import urllib.parse
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_STREAM_BYTES = 256 * 1024
_SHORTEST = 5
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")


@dataclass(frozen=True, slots=True)
class Found:
    """A word, the form in which it was found, and where."""

    word: str
    form: str
    where: str


def forms_of(word: str | bytes) -> dict[str, bytes]:
    """Every form of a word that is sought, by its name. Bytes have no forms of text."""
    data = word.encode() if isinstance(word, str) else word
    forms = {"plain": data, "hex": data.hex().encode(), "HEX": data.hex().upper().encode()}
    forms["url %"] = b"".join(b"%%%02X" % byte for byte in data)
    for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for offset in range(3):
            # Only the characters that no neighbour has a part in.
            whole = encode(bytes(offset) + data)
            forms[f"{name} +{offset}"] = whole[-(-offset * 8 // 6) : (offset + len(data)) * 8 // 6]
    if isinstance(word, str):
        forms["utf-16-le"] = word.encode("utf-16-le")
        forms["utf-16-be"] = word.encode("utf-16-be")
        forms["utf-32-le"] = word.encode("utf-32-le")
        forms["json"] = json.dumps(word)[1:-1].encode()
        forms["url"] = urllib.parse.quote(word, safe="").encode()
        forms["repr"] = repr(data)[2:-1].encode()
        with contextlib.suppress(UnicodeEncodeError):
            forms["latin-1"] = word.encode("latin-1")
    return forms


class Search:
    """For some words at once. `words`: by what each of them is."""

    def __init__(self, words: Mapping[str, str | bytes]) -> None:
        self._needles: dict[bytes, tuple[str, str]] = {}
        for name, word in words.items():
            for form, needle in forms_of(word).items():
                assert len(needle) >= _SHORTEST, f"{name} is too short to be told from chance"
                self._needles.setdefault(needle, (name, form))
        self._by_start: defaultdict[bytes, list[bytes]] = defaultdict(list)
        self._first, self._second = (np.zeros(65_536, dtype=bool) for _ in range(2))
        for needle in self._needles:
            self._by_start[needle[:4]].append(needle)
            self._first[int.from_bytes(needle[:2], "little")] = True
            self._second[int.from_bytes(needle[2:4], "little")] = True

    def data(self, data: bytes, where: str, *, packed: bool = True) -> set[Found]:
        """What is in `data`, also in what is compressed in it."""
        found = {Found(*self._needles[needle], where) for needle in self._needles_in(data)}
        if packed:
            for match in _ZLIB.finditer(data):
                opened = _inflate(data[match.start() : match.start() + _STREAM_BYTES])
                for one in self.data(opened, where, packed=False):
                    found.add(Found(one.word, f"deflated {one.form}", where))
        return found

    def _needles_in(self, data: bytes) -> Iterator[bytes]:
        """Places whose first four bytes may begin a needle are looked at; the others are not."""
        for odd in range(2):
            if len(data) < odd + 4:
                return
            pairs = np.frombuffer(data, dtype="<u2", offset=odd, count=(len(data) - odd) // 2)
            for place in np.flatnonzero(self._first[pairs[:-1]] & self._second[pairs[1:]]):
                at = 2 * int(place) + odd
                for needle in self._by_start.get(data[at : at + 4], ()):
                    if data.startswith(needle, at):
                        yield needle

    def files(self, folder: Path) -> set[Found]:
        """What is in the files below a folder, and in their names."""
        found: set[Found] = set()
        for path in folder.rglob("*"):
            found |= self.data(str(path.relative_to(folder)).encode(), f"the name of {path.name}")
            if path.is_file():
                found |= self.data(path.read_bytes(), path.name)
        return found

    def memory(self, pid: int) -> set[Found]:
        """What is in the memory of a process, which stands still while it is copied."""
        found: set[Found] = set()
        for where, data in list(memory_of(pid)):
            found |= self.data(data, where)
        return found


def memory_of(pid: int) -> Iterator[tuple[str, bytes]]:
    """All memory of a process that it may have written, each part as a whole."""
    os.kill(pid, signal.SIGSTOP)
    try:
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
                place, rights, *_ = line.split(maxsplit=5)
                if rights[0] != "r" or (rights[1] != "w" and "/" in line):
                    continue  # what is only read was there before anybody said anything
                start, end = (int(part, 16) for part in place.split("-"))
                with contextlib.suppress(OSError):
                    memory.seek(start)
                    data = memory.read(end - start)
                    if data.count(0) < len(data):
                        yield line.rpartition(" ")[2] or "memory", data
    finally:
        os.kill(pid, signal.SIGCONT)


def _inflate(data: bytes) -> bytes:
    """As much as can be opened of a zlib or gzip stream."""
    opener = zlib.decompressobj(wbits=47)
    opened = b""
    with contextlib.suppress(zlib.error):
        opened = opener.decompress(data, 4 * _STREAM_BYTES)
    return opened
