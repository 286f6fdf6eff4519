"""The command `folkmoot-signaling` as a process, as its users start it: with arguments and files.

`signal_command("--listen", …)` gives it when it is ready and kills it at the end. (`signal_server`
is the same server with settings that no command line has.)
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TOP = Path(__file__).resolve().parents[2]
_PATHS = os.pathsep.join(str(_TOP / name) for name in ("app", "signaling"))


def start_command(*arguments: str, **environ: str) -> subprocess.Popen[str]:
    """Start it; the caller ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "folkmoot_signaling", *arguments],
        env=os.environ | {"PYTHONPATH": _PATHS} | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@dataclass
class Answer:
    """What came back from an HTTP request."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the error in it."""
        return str(self.json["error"]["code"])


@dataclass
class SignalCommand:
    """One that is ready. `listen` and `stun` are ``HOST:PORT``."""

    process: subprocess.Popen[str]
    listen: list[str]
    stun: list[str]

    @property
    def url(self) -> str:
        """What a node is told."""
        return f"ws://{self.listen[0]}"

    def fetch(
        self,
        path: str,
        *,
        token: str = "",
        body: object = None,
        method: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Ask over HTTP; blocking. `body`: bytes as they are, anything else as JSON."""
        request = urllib.request.Request(f"http://{self.listen[0]}{path}", method=method)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        if body is not None:
            request.data = body if isinstance(body, bytes) else json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    async def ask(self, path: str, **options: Any) -> Answer:
        """`fetch` from a coroutine."""
        return await asyncio.to_thread(self.fetch, path, **options)

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    async def ended(self) -> tuple[int, list[dict[str, Any]]]:
        """Wait until it has ended: (status, lines of its log)."""
        _out, err = await asyncio.to_thread(self.process.communicate, None, 30)
        return self.process.returncode, [json.loads(line) for line in err.splitlines()]


@contextlib.contextmanager
def signal_command(*arguments: str, **environ: str) -> Iterator[SignalCommand]:
    """Start it on a free port unless the arguments say where, and wait for its ready line."""
    listen = () if "--listen" in arguments else ("--listen", "127.0.0.1:0")
    process = start_command(*listen, *arguments, **environ)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise AssertionError(process.communicate(timeout=30)[1])
        ready = json.loads(line)
        yield SignalCommand(process, ready["listen"], ready["stun"])
    finally:
        process.kill()
        process.communicate(timeout=30)
