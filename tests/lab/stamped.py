"""Folkmoot with a stopwatch: the shipped command, whose media process notes when it did what.

`python -m lab.stamped FILE ARGUMENT…` is `folkmoot ARGUMENT…`. Each process appends lines of JSON,
[name, number of the process, seconds of the monotonic clock], to FILE. Nothing else is different
but that the media process ends a moment after its last call, so that the next one begins cold, and
that a person may ring as often as they like.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import folkmoot.main

AUDIBLE = 300
"""Of 32,767: what is louder is no noise of comfort."""
KEEP_S = 0.2


def read_stamps(file: Path) -> list[tuple[str, int, float]]:
    """What was noted, in order."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [(name, pid, at) for name, pid, at in map(json.loads, lines)]


class Stopwatch:
    """Appends to the file."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._seen: set[str] = set()

    def note(self, name: str) -> None:
        """Note the first time of each name; with one write, so that processes share the file."""
        if name in self._seen:
            return
        self._seen.add(name)
        at = time.monotonic()
        handle = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, json.dumps([name, os.getpid(), at]).encode() + b"\n")
        os.close(handle)


def stamp_node(file: str) -> None:
    """Have the node start media processes with a stopwatch."""
    from folkmoot.media.launcher import ProcessLauncher, media_command
    from folkmoot.protocol.calls import book
    from folkmoot.services.calls import media

    def command(memory: str | None) -> list[str]:
        words = media_command(memory)
        return [words[0], "-m", "lab.stamped", file, *words[3:]]

    media.KEEP_S = KEEP_S
    book.RINGS_BURST = 1e6
    init: Any = ProcessLauncher.__init__
    init.__kwdefaults__["command"] = command


def stamp_media(watch: Stopwatch) -> None:
    """Note the steps of a media process once its parts are imported."""
    from folkmoot.media import process

    original = process._load

    def load() -> None:
        original()
        watch.note("loaded")
        _stamp_parts(watch)

    process._load = load
    watch.note("began")


def _stamp_parts(watch: Stopwatch) -> None:
    from folkmoot.media.connection import PeerConnection
    from folkmoot.media.receive.audio import AudioStream
    from folkmoot.media.session import Session

    def after(owner: Any, method: str, name: Callable[[tuple[Any, ...], Any], str | None]) -> None:
        original = getattr(owner, method)

        def stamped(*args: Any, **named: Any) -> Any:
            answer = original(*args, **named)
            found = name(args, answer)
            if found:
                watch.note(found)
            return answer

        setattr(owner, method, stamped)

    after(Session, "__init__", lambda args, answer: "session")
    after(Session, "take", lambda args, answer: f"took {type(args[1]).__name__}")
    after(PeerConnection, "_change", lambda args, answer: args[1])
    after(PeerConnection, "start", lambda args, answer: "started")
    after(AudioStream, "_packet", lambda args, answer: "packet")
    after(
        AudioStream,
        "pull",
        lambda args, answer: (
            "heard" if answer is not None and int(abs(answer).max()) > AUDIBLE else None
        ),
    )


def main(file: str, arguments: list[str]) -> int:
    """Run it."""
    if arguments[:1] == ["media"]:
        stamp_media(Stopwatch(file))
    else:
        stamp_node(file)
    return folkmoot.main.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
