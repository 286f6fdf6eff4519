"""The file of this program: whether an update has put another one in its place while it runs.

What is loaded goes on, but a process that is started now would be one of the new version.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_RUNNING = Path("/proc/self/exe")
"""On Linux the file that runs, whatever stands in its place by now."""


class ProgramFile:
    """The file of a frozen program; one that runs from source is never replaced."""

    def __init__(self, file: Path | None = None, running: Path = _RUNNING) -> None:
        if file is None and getattr(sys, "frozen", False):
            file = Path(sys.executable)
        self._file = file
        self._known = None if file is None else (_look(running) or _look(file))

    def is_replaced(self) -> bool:
        """Whether there is another file now. One that is gone is not: nothing could be started."""
        if self._file is None or self._known is None:
            return False
        return _look(self._file) not in (self._known, None)


def _look(file: Path) -> tuple[int, int] | None:
    """What tells one file from another; an update makes a new one and renames it."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino
