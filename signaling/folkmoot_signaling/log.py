"""The log of the server: one JSON object a line on standard error.

Addresses and device keys are hashed with a salt that dies with the process, so lines of one run can
be put together and nothing can be looked up later. Tags and what is relayed have no way in: who
logs gives words of its own and numbers. A thread writes, so no loop waits for a slow reader; what
does not fit is counted. An event that repeats is written `REPEATS` times a minute, then counted.
"""

from __future__ import annotations

import contextlib
import hmac
import ipaddress
import json
import logging
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TextIO

REPEATS = 5
LEVELS = ("debug", "info", "warning", "error")
_PER_S = 60.0
_MAX_KINDS = 1024
_MAX_TEXT = 300
_QUEUED = 4096
_OURS = "folkmoot_signaling"
Value = str | int | float | bool | None


class Hider:
    """Shortens who someone is to a name that holds for this run only."""

    def __init__(self, salt: bytes) -> None:
        self._salt = salt

    def address(self, host: str) -> str:
        """A name for an address; the same for all addresses of an IPv6 /64."""
        try:
            packed = ipaddress.ip_address(host.partition("%")[0]).packed
        except ValueError:
            packed = host.encode()
        return self._short(b"address\0" + (packed[:8] if len(packed) == 16 else packed))

    def device(self, device: bytes) -> str:
        """A name for a device."""
        return self._short(b"device\0" + device)

    def _short(self, data: bytes) -> str:
        return hmac.digest(self._salt, data, "sha256")[:6].hex()


class RepeatGuard:
    """Lets `REPEATS` events of one kind through in a minute and counts the others."""

    def __init__(self) -> None:
        self._began_s = 0.0
        self._seen: dict[str, int] = {}

    def admit(self, kind: str, now_s: float) -> tuple[bool, dict[str, int]]:
        """(write this one, {kind: how many were left out} of the minute that is over)."""
        left_out: dict[str, int] = {}
        if now_s - self._began_s >= _PER_S:
            left_out = {k: n - REPEATS for k, n in self._seen.items() if n > REPEATS}
            self._began_s = now_s
            self._seen.clear()
        if kind not in self._seen and len(self._seen) >= _MAX_KINDS:
            kind = "other events"
        count = self._seen.get(kind, 0) + 1
        self._seen[kind] = count
        return count <= REPEATS, left_out


class EventLog:
    """What the parts of the server tell. `tell` never waits."""

    def __init__(
        self,
        salt: bytes,
        level: str = "info",
        output: TextIO | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._hide = Hider(salt)
        self._least = LEVELS.index(level)
        self._output = sys.stderr if output is None else output
        self._clock = clock
        self._guard = RepeatGuard()
        self._lines: queue.Queue[str | None] = queue.Queue(_QUEUED)
        self._writer = threading.Thread(target=self._write, name="log", daemon=True)
        self._writer.start()
        self._handler = _Records(self)
        self._level_before: int | None = None
        self.lost = 0

    def install(self) -> None:
        """Take what this process logs by the standard library as well, until `close`."""
        root = logging.getLogger()
        root.addHandler(self._handler)
        self._level_before = root.level
        root.setLevel(logging.INFO)

    def tell(
        self,
        event: str,
        level: str = "info",
        *,
        address: str | None = None,
        device: bytes | None = None,
        **fields: Value,
    ) -> None:
        """Log `event`, fixed words of ours; `address` and `device` are hashed."""
        if address is not None:
            fields["address"] = self._hide.address(address)
        if device is not None:
            fields["device"] = self._hide.device(device)
        self.write(level, event, fields)

    def write(self, level: str, event: str, fields: Mapping[str, Value]) -> None:
        """Log `event` with fields that name nobody."""
        if LEVELS.index(level) < self._least:
            return
        now_s = self._clock()
        wanted, left_out = self._guard.admit(event, now_s)
        for kind, count in left_out.items():
            self._put(now_s, "info", "repeated", {"of": kind, "times": count})
        if wanted:
            self._put(now_s, level, event, fields)

    def close(self) -> None:
        """Write what is queued, two seconds at most."""
        root = logging.getLogger()
        root.removeHandler(self._handler)
        if self._level_before is not None:
            root.setLevel(self._level_before)
        with contextlib.suppress(queue.Full):
            if self.lost:
                words = "lines of this log were lost"
                line = _line(self._clock(), "warning", words, {"lines": self.lost})
                self._lines.put(line, timeout=1.0)
            self._lines.put(None, timeout=1.0)
        self._writer.join(2.0)

    def _put(self, now_s: float, level: str, event: str, fields: Mapping[str, Value]) -> None:
        try:
            self._lines.put_nowait(_line(now_s, level, event, fields))
        except queue.Full:
            self.lost += 1

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._output.write(line + "\n")
                self._output.flush()
            except (OSError, ValueError):
                self.lost += 1


def _line(now_s: float, level: str, event: str, fields: Mapping[str, Value]) -> str:
    moment = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="milliseconds")
    line = {"at": moment.replace("+00:00", "Z"), "level": level, "event": event[:_MAX_TEXT]}
    shown = {k: v[:_MAX_TEXT] if isinstance(v, str) else v for k, v in fields.items()}
    return json.dumps(line | shown)


class _Records(logging.Handler):
    """Brings records of the standard library in, without what may be in their values."""

    def __init__(self, log: EventLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else record.levelname.lower()
        fields: dict[str, Value] = {"logger": record.name}
        words = record.getMessage() if record.name.startswith(_OURS) else str(record.msg)
        if record.exc_info and record.exc_info[1] is not None:
            fields |= _describe(record.exc_info[1])
        # Libraries write a representation of objects below the first line.
        self._log.write(level if level in LEVELS else "warning", words.partition("\n")[0], fields)


def _describe(error: BaseException) -> dict[str, Value]:
    """What an exception was and where, without its words: they may hold what a peer sent."""
    frames = list(traceback.walk_tb(error.__traceback__))[-6:]
    where = " < ".join(
        f"{frame.f_code.co_filename.rpartition('/')[2]}:{line}" for frame, line in reversed(frames)
    )
    return {"error": type(error).__name__, "where": where}
