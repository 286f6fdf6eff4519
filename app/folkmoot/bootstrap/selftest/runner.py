"""Runs checks, each in a process of its own, a few at a time, and ends what does not end.

Owns the processes and the folder in which they work. Refuses to leave anything behind: when it is
over, or told to stop, every process is gone and the folder too. A process that hangs, crashes or
says nothing is an outcome like any other.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from folkmoot.bootstrap.selftest.answer import Answer, read_answer
from folkmoot.bootstrap.selftest.report import Outcome, one_line

LANES = 2
"""So many checks run side by side."""
LIMIT_S = 20.0
MAX_READ_BYTES = 64 * 1024
LAST_LINES = 3
"""So much of what a check said before it crashed or hung goes into its outcome."""
_LOOK_S = 0.5
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)


@dataclass(frozen=True, slots=True)
class Check:
    """One capability. `where` is ``module:function``: it gets a folder to work in, returns one
    line about what it did, and raises where the capability is missing. `shows`: the display is
    used if there is one."""

    name: str
    where: str
    limit_s: float = LIMIT_S
    shows: bool = False


class Told(BaseException):
    """A signal says that the self-test is to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Runner:
    """Runs checks until it is closed. `command` makes the command line of one of them."""

    def __init__(self, command: Callable[[Check], Sequence[str]]) -> None:
        self._command = command
        self._folder = Path(tempfile.mkdtemp(prefix="fmtest-"))
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def run(self, checks: Sequence[Check]) -> list[Outcome]:
        """Run `checks`, the first ones first, and return their outcomes in order.

        What their processes say on stderr goes to ours, with the name of the check before it.
        """
        with ThreadPoolExecutor(LANES, thread_name_prefix="check") as lanes:
            try:
                futures = [
                    lanes.submit(self._run_one, check, self._folder / str(number))
                    for number, check in enumerate(checks)  # short: the path of a socket is bounded
                ]
                pending: set[Future[Outcome]] = set(futures)
                while pending:  # a wait without an end would hear no Ctrl-C on Windows
                    _, pending = wait(pending, timeout=_LOOK_S)
            except BaseException:
                self._end_all()
                raise
        return [future.result() for future in futures]

    def close(self) -> None:
        """End what runs and remove the folder."""
        self._end_all()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run_one(self, check: Check, place: Path) -> Outcome:
        began = time.monotonic()
        answer = self._answer(check, place)
        words = _read(place / "stderr")
        for line in words.splitlines():
            sys.stderr.write(f"{check.name}: {line}\n")
        ms = round((time.monotonic() - began) * 1000)
        shutil.rmtree(place, ignore_errors=True)
        return Outcome(check.name, answer.ok, one_line(answer.what), ms)

    def _answer(self, check: Check, place: Path) -> Answer:
        work = place / "w"
        try:
            place.mkdir()
            work.mkdir(mode=0o700)
            with (place / "stdout").open("wb") as out, (place / "stderr").open("wb") as words:
                process = self._start(check, work, out.fileno(), words.fileno())
        except OSError as error:
            return Answer(False, f"The check could not be started: {error}.")
        if process is None:
            return Answer(False, "The self-test was ended before this check.")
        try:
            status: int | None = process.wait(check.limit_s)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            self._end(process)
        last = " ".join(_read(place / "stderr").strip().splitlines()[-LAST_LINES:])
        if status is None:
            return Answer(False, f"It hung: nothing came within {check.limit_s:g} s. {last}")
        return read_answer(_read(place / "stdout")) or Answer(False, _why_silent(status, last))

    def _start(
        self, check: Check, work: Path, out: int, words: int
    ) -> subprocess.Popen[bytes] | None:
        here = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(work))
        if "XDG_RUNTIME_DIR" not in os.environ:  # else libraries make a place for it, and leave it
            here["XDG_RUNTIME_DIR"] = str(work)
        with self._lock:
            if self._over:
                return None
            process = subprocess.Popen(
                self._command(check),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=words,
                env=os.environ | here,
                start_new_session=True,
                creationflags=_NO_WINDOW,
            )
            self._running.add(process)
        return process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """End a process, and what it started."""
        with self._lock:
            self._running.discard(process)
        if sys.platform != "win32":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()

    def _end_all(self) -> None:
        with self._lock:
            self._over = True
            running = list(self._running)
        for process in running:
            self._end(process)


def on_signals() -> None:
    """From now on a signal that ends a program raises `Told`, so that everything is cleaned up."""
    kinds = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32":
        kinds.append(signal.SIGHUP)
    for kind in kinds:
        signal.signal(kind, _tell)


def _tell(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # once is enough: cleaning up is not broken off
    raise Told(number)


def _why_silent(status: int, last: str) -> str:
    if status < 0:
        with suppress(ValueError):
            return f"It crashed ({signal.Signals(-status).name}). {last}"
    return f"It ended with status {status} and said nothing. {last}"


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_READ_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
