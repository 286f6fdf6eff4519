"""Fails a test in which code of ours makes a blocking call on the thread of a running asyncio loop.

What counts: opening, syncing, listing, renaming or removing files; SQLite; connecting, sending or
receiving on a socket that blocks; looking a name up; sleeping; starting a process. It counts when a
frame of `app/` or `signaling/` stands between the call and the loop, so that a test may read its
own files. What is let through, and why:

* imports: a library is imported when it is first used, and that opens files;
* `linecache`: a traceback that is being written reads the source;
* asyncio between our frame and the call: it connects without blocking, and its process start is
  the one that a loop offers;
* a number instead of a path: that file is open already;
* a test marked ``blocks_loop("reason")``.

What the audit hooks of CPython do not tell is wrapped: `time.sleep`, `os.fsync`, the methods of
`socket.socket` and of SQLite connections and cursors. Reading and writing an open file is not seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

_TOP = Path(__file__).resolve().parents[2]
_OURS = (str(_TOP / "app") + os.sep, str(_TOP / "signaling") + os.sep)
_ASYNCIO = str(Path(asyncio.__file__).parent) + os.sep
_LOOP_FRAMES = frozenset({"run_forever", "run_until_complete", "_run"})
_LET_THROUGH = ("<frozen importlib", "linecache.py")
_WATCHED = frozenset(
    {
        "open",
        "os.listdir",
        "os.scandir",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.truncate",
        "sqlite3.connect",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "subprocess.Popen",
        "os.system",
        "os.posix_spawn",
    }
)

_records: list[str] = []
_looks = True
"""Off in a test that may block: stacks for all that a simulation reads took most of its time."""


@contextlib.contextmanager
def collect_blocking_calls() -> Iterator[list[str]]:
    """Give the blocking calls made inside the block, which then do not fail the test."""
    global _looks
    before, looked = list(_records), _looks
    _records.clear()
    _looks = True
    seen: list[str] = []
    try:
        yield seen
    finally:
        seen.extend(_records)
        _records[:], _looks = before, looked


def _note(what: str) -> None:
    if not _looks or asyncio._get_running_loop() is None:
        return
    culprit = _find_our_frame(sys._getframe(2))
    if culprit is not None:
        stack = "".join(traceback.format_stack(culprit, limit=6))
        _records.append(f"{what}\n{stack}")


def _find_our_frame(frame: FrameType | None) -> FrameType | None:
    """Return the innermost frame of ours between the call and the loop, None where that is fine."""
    ours: FrameType | None = None
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(_LET_THROUGH[0]) or path.endswith(_LET_THROUGH[1]):
            return None
        if frame.f_code.co_name in _LOOP_FRAMES and (
            path.startswith(_ASYNCIO) or f"{os.sep}qasync{os.sep}" in path
        ):
            return ours
        if ours is None:
            if path.startswith(_ASYNCIO):
                return None
            if path.startswith(_OURS):
                ours = frame
        frame = frame.f_back
    return ours


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event not in _WATCHED:
        return
    if event == "open" and isinstance(args[0], int):
        return
    if event == "socket.connect" and args[0].gettimeout() == 0:
        return
    _note(f"{event} {str(args[:2])[:200]}")


def _wrap(owner: Any, name: str, blocks: Callable[..., bool] = lambda *_: True) -> None:
    original = getattr(owner, name)

    def guarded(*args: Any, **kwargs: Any) -> Any:
        if blocks(*args):
            _note(f"{getattr(owner, '__name__', owner)}.{name}")
        return original(*args, **kwargs)

    guarded.__name__ = name
    setattr(owner, name, guarded)


def _socket_blocks(sock: socket.socket, *_args: object) -> bool:
    return sock.gettimeout() != 0


class _GuardedCursor(sqlite3.Cursor):
    """A cursor whose every call is noted."""


class _GuardedConnection(sqlite3.Connection):
    """A connection whose every call is noted, and that of its cursors."""

    def cursor(self, factory: Any = _GuardedCursor) -> Any:
        return super().cursor(factory)


def _install() -> None:
    sys.addaudithook(_audit)
    _wrap(time, "sleep")
    _wrap(os, "fsync")
    if hasattr(os, "fdatasync"):
        _wrap(os, "fdatasync")
    for name in ("accept", "recv", "recv_into", "recvfrom", "send", "sendall", "sendto"):
        _wrap(socket.socket, name, _socket_blocks)
    for name in ("execute", "executemany", "executescript"):
        _wrap(_GuardedCursor, name)
    for name in ("execute", "executemany", "executescript", "commit", "rollback", "backup"):
        _wrap(_GuardedConnection, name)
    connect = sqlite3.connect

    def guarded_connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        kwargs.setdefault("factory", _GuardedConnection)
        connection: sqlite3.Connection = connect(*args, **kwargs)
        return connection

    sqlite3.connect = guarded_connect  # type: ignore[assignment]
    sqlite3.dbapi2.connect = guarded_connect  # type: ignore[assignment]


_install()


def _watch(item: pytest.Item) -> Generator[None, object, object]:
    """Run one phase of a test and fail it for the blocking calls made meanwhile."""
    global _looks
    marker = item.get_closest_marker("blocks_loop")
    _records.clear()
    _looks = marker is None
    result = yield
    if marker is not None and not (marker.args and isinstance(marker.args[0], str)):
        pytest.fail("blocks_loop needs a reason in words", pytrace=False)
    if _records:
        shown = "\n".join(_records[:5])
        count = len(_records)
        _records.clear()
        pytest.fail(f"{count} blocking call(s) on a loop's thread:\n{shown}", pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Watch the fixtures being made."""
    return (yield from _watch(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Watch the test."""
    return (yield from _watch(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Watch the fixtures being taken down."""
    return (yield from _watch(item))
