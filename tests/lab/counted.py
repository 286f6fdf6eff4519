"""Folkmoot that counts what it holds: the shipped command, asked by a signal.

`python -m lab.counted FOLDER ARGUMENT…` is `folkmoot ARGUMENT…`. On SIGUSR1 a process throws away
what is garbage and writes FOLDER/PID.json: tasks, threads, and the number of objects of each kind
that calls are made of.
"""

from __future__ import annotations

import asyncio
import collections
import ctypes
import gc
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import folkmoot.main

KINDS = ("aiortc.", "aioice.", "pylibsrtp.", "OpenSSL.", "av.", "folkmoot.media.", "asyncio.")


def count(folder: Path) -> None:
    """Write the file, at once or not at all."""
    gc.collect()
    _give_back()
    kinds = collections.Counter(
        f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects()
    )
    tasks: Any = asyncio.tasks._all_tasks  # type: ignore[attr-defined]  # of every loop
    found = {
        "tasks": sum(not task.done() for task in list(tasks)),
        "threads": threading.active_count(),
        "objects": {name: number for name, number in kinds.items() if name.startswith(KINDS)},
        "all": sum(kinds.values()),
    }
    written = folder / f"{os.getpid()}.new"
    written.write_text(json.dumps(found))
    written.rename(folder / f"{os.getpid()}.json")


def _give_back() -> None:
    """Hand free pages of the heaps to the system: how many there are at one moment says nothing."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def main(folder: str, arguments: list[str]) -> int:
    """Run it."""
    signal.signal(signal.SIGUSR1, lambda *_: count(Path(folder)))
    if arguments[:1] != ["media"]:
        from folkmoot.media.launcher import ProcessLauncher, media_command

        def command(memory: str | None) -> list[str]:
            words = media_command(memory)
            return [words[0], "-m", "lab.counted", folder, *words[3:]]

        init: Any = ProcessLauncher.__init__
        init.__kwdefaults__["command"] = command
    return folkmoot.main.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
