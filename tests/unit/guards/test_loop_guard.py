"""The guard against blocking calls on a loop: what it sees, what it lets through."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from guards.loop import collect_blocking_calls

_OUR_FILE = str(Path(__file__).parents[3] / "app" / "folkmoot" / "services" / "pretended.py")

_BLOCKING = {
    "open": "open('/dev/null').close()",
    "os.open": "import os; os.close(os.open('/dev/null', os.O_RDONLY))",
    "os.fsync": "import os, tempfile\nwith tempfile.TemporaryFile() as f: os.fsync(f.fileno())",
    "os.listdir": "import os; os.listdir('/')",
    "sleep": "import time; time.sleep(0)",
    "sqlite3": "import sqlite3; sqlite3.connect(':memory:').close()",
    "lookup": "import socket; socket.getaddrinfo('127.0.0.1', 1)",
    "process": "import subprocess; subprocess.run(['true'], check=True)",
    "connect": "import socket\ns = socket.create_server(('127.0.0.1', 0))\n"
    "socket.socket().connect(s.getsockname()); s.close()",
    "recv": "import socket\na, b = socket.socketpair(); a.send(b'x'); b.recv(1)\n"
    "a.close(); b.close()",
}


def _ours(source: str, **names: object) -> Callable[[], Any]:
    """Return a function that runs `source` with `names` as if it stood in a module of the app."""
    space: dict[str, Any] = dict(names)
    body = "\n".join("    " + line for line in source.splitlines())
    exec(compile(f"def act():\n{body}\n", _OUR_FILE, "exec"), space)
    act: Callable[[], Any] = space["act"]
    return act


@pytest.mark.parametrize("name", _BLOCKING)
async def test_a_blocking_call_of_ours_on_a_loop_is_seen(name: str) -> None:
    with collect_blocking_calls() as seen:
        _ours(_BLOCKING[name])()
    assert seen
    assert "pretended.py" in seen[0]


@pytest.mark.parametrize("name", _BLOCKING)
async def test_the_same_call_in_a_thread_is_fine(name: str) -> None:
    with collect_blocking_calls() as seen:
        await asyncio.to_thread(_ours(_BLOCKING[name]))
    assert seen == []


@pytest.mark.parametrize("name", _BLOCKING)
def test_the_same_call_without_a_loop_is_fine(name: str) -> None:
    with collect_blocking_calls() as seen:
        _ours(_BLOCKING[name])()
    assert seen == []


async def test_every_statement_on_an_open_connection_is_seen() -> None:
    import sqlite3

    connection = await asyncio.to_thread(sqlite3.connect, ":memory:", check_same_thread=False)
    act = _ours("connection.cursor().execute('select 1')", connection=connection)
    with collect_blocking_calls() as seen:
        act()
    connection.close()
    assert len(seen) == 1
    assert "execute" in seen[0]


async def test_a_callback_of_ours_on_the_loop_is_seen() -> None:
    done = asyncio.Event()
    act = _ours("open('/dev/null').close()")
    loop = asyncio.get_running_loop()
    with collect_blocking_calls() as seen:
        loop.call_soon(act)
        loop.call_soon(done.set)
        await done.wait()
    assert len(seen) == 1


async def test_an_import_on_the_loop_is_let_through() -> None:
    sys.modules.pop("this_is_never_imported", None)
    sys.modules.pop("colorsys", None)
    with collect_blocking_calls() as seen:
        _ours("import colorsys")()
    assert seen == []


async def test_asyncio_may_connect_and_start_a_process() -> None:
    act = _ours("import asyncio\nreturn asyncio.create_subprocess_exec('true')")
    with collect_blocking_calls() as seen:
        server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        _reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        server.close()
        await (await act()).wait()
    assert seen == []


def test_our_code_that_started_the_loop_is_not_blamed_for_what_runs_in_it() -> None:
    async def of_the_test() -> None:
        with open("/dev/null"):  # noqa: ASYNC230 - the very call that the guard must judge
            pass

    with collect_blocking_calls() as seen:
        _ours("import asyncio\nasyncio.run(inner())", inner=of_the_test)()
    assert seen == []
