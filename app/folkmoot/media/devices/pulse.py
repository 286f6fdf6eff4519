"""Which devices PulseAudio has now, asked from itself: Qt keeps those that were unplugged.

Owns one connection of its own, in a thread that asks each second. Refuses to matter where there is
none: then nothing is known, and Qt's word holds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from folkmoot.media.devices import libpulse

ASK_S = 1.0
_RETURN_S = 4.0
"""A server that came back has to be found by Qt too."""
_PATIENCE_US = 200_000
Names = frozenset[str]


class PulseWatch:
    """Asks for the names of all sinks and sources; `changed` is called in its thread."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._names: Names | None = None
        self.is_lost = False
        """A server was there and went away. Who has Qt open a device now aborts the process: Qt's
        connection is gone, and it looks for a new one once, three seconds later."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sound devices", daemon=True)
        self._thread.start()

    @property
    def names(self) -> Names | None:
        """The names, None while nothing is known."""
        return self._names

    def close(self) -> None:
        """Ask no more."""
        self._over.set()

    def _run(self) -> None:
        library = libpulse.load()
        if library is None:
            return
        while not self._over.is_set():
            connection = _Connection(library)
            try:
                while (names := connection.list()) is not None:
                    if self.is_lost and self._over.wait(_RETURN_S):
                        return
                    self.is_lost = False
                    self._take(names)
                    connection.rest(ASK_S)
                    if self._over.is_set():
                        return
            finally:
                connection.close()
            self.is_lost = self.is_lost or self._names is not None
            self._take(None)
            self._over.wait(5 * ASK_S)

    def _take(self, names: Names | None) -> None:
        if names != self._names:
            self._names = names
            self._changed()


class _Connection(libpulse.Connection):
    """Used by one thread."""

    def __init__(self, library: Any) -> None:
        self._found: set[str] = set()
        self._open = 0
        self._row = libpulse.TAKE_ROW(self._take_row)
        super().__init__(library, b"folkmoot devices")

    def list(self) -> Names | None:
        """All names now; None when the server does not answer."""
        if not self._turn_until(lambda: self.is_ready):
            return None
        self._found, self._open = set(), 2
        for ask in (
            self.pulse.pa_context_get_sink_info_list,
            self.pulse.pa_context_get_source_info_list,
        ):
            if not self.start(ask(self.context, self._row, None)):
                return None
        return frozenset(self._found) if self._turn_until(lambda: self._open == 0) else None

    def rest(self, seconds: float) -> None:
        """Do nothing for so long, or until the server goes away."""
        until = time.monotonic() + seconds
        while not self.is_over and time.monotonic() < until:
            self.turn(_PATIENCE_US)

    def _turn_until(self, done: Callable[[], bool]) -> bool:
        """Let it work until `done`, for five seconds at most."""
        for _ in range(25 * 5):
            if done():
                return True
            if self.is_over:
                return False
            self.turn(_PATIENCE_US)
        return False

    def _take_row(self, _context: int, info: Any, end: int, _data: int) -> None:
        if end:
            self._open -= 1
        elif info and info[0]:
            self._found.add(info[0].decode("utf-8", "replace"))
