"""The file of a recording: written in the order of what happens, cut back to what is whole.

Owns the descriptor. Refuses to write over a file that is there, and to follow a link that somebody
laid in its place.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

KEEP_FREE_BYTES = 200 * 1024 * 1024
"""A recording ends before less than this is left for everybody else."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL
_FLAGS |= getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class RecordingFile:
    """A new file, readable for this person only. Every method raises `OSError`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor = os.open(path, _FLAGS, 0o600)
        self._file = os.fdopen(self._descriptor, "w+b", buffering=0)
        self.size = 0
        """Bytes; what is written over counts once."""

    def write(self, data: bytes) -> int:
        """Write all of `data` at the place where it stands; raises when it does not all fit."""
        left = memoryview(data)
        while left:
            written = self._file.write(left)
            left = left[written:]
        self.size = max(self.size, self._file.tell())
        return len(data)

    def write_at(self, place: int, data: bytes) -> None:
        """Write over what is there; where it stands for `write` stays."""
        here = self._file.tell()
        try:
            self._file.seek(place)
            self.write(data)
        finally:
            self._file.seek(here)

    def read(self, count: int = -1) -> bytes:
        """Read from where it stands."""
        return self._file.read(count)

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Stand elsewhere."""
        return self._file.seek(place, whence)

    def tell(self) -> int:
        """Where it stands."""
        return self._file.tell()

    def cut(self, size: int) -> None:
        """Leave out what comes after `size` bytes."""
        self._file.truncate(size)
        self._file.seek(size)
        self.size = size

    def close(self) -> None:
        """Have it all on the disk."""
        if self._file.closed:
            return
        try:
            os.fsync(self._file.fileno())
        finally:
            self._file.close()

    def discard(self) -> None:
        """Close it and remove it: nothing is in it."""
        self._file.close()
        Path(self.path).unlink(missing_ok=True)


def free_bytes(path: str) -> int:
    """What is left for this person on the disk of `path`. Raises `OSError`."""
    return shutil.disk_usage(Path(path).parent).free


def is_full(error: BaseException) -> bool:
    """Whether an error says that there is no room."""
    return isinstance(error, OSError) and error.errno in FULL
