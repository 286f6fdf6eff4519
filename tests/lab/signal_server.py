"""A real signaling server as a process: `async with signal_server() as server`, or `start_server`.

`python -m lab.signal_server JSON` is that process: the shipped server with the settings in JSON,
so that a test can make limits small. Refuses to be kind: what still runs at the end is killed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_TOP = Path(__file__).resolve().parents[2]
_PATHS = [str(_TOP / name) for name in ("app", "signaling", "tests")]


@dataclasses.dataclass
class SignalServer:
    """A server that runs. `url` is what a node is told: ``ws://127.0.0.1:PORT``."""

    process: subprocess.Popen[str]
    host: str
    port: int

    @property
    def url(self) -> str:
        """Its address as people write it."""
        return f"ws://{self.host}:{self.port}"

    @property
    def rss_bytes(self) -> int:
        """Memory of the process that is in RAM."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    @property
    def cpu_s(self) -> float:
        """Time on the processor so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait(timeout=30)

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and give its status."""
        self.process.terminate()
        return self.process.wait(timeout=20)


def start_server(
    port: int = 0, host: str = "127.0.0.1", prefix: Sequence[str] = (), **settings: Any
) -> SignalServer:
    """Start a server; `settings` are fields of `Settings`, and `bounds` a dict of fields of
    `Bounds` (a `Rate` as ``[per_s, burst]``). Bytes as hex. `redis` is a URL; nodes that share it
    have the same `server_id`. `tls`: files of a certificate and its key; `loop`: ``asyncio``
    instead of uvloop; `drain_to`: where nodes are sent at the end; `leave_s`: how long it waits
    after the last word. `prefix` stands before the command, to run it in a network namespace. The
    caller ends it."""
    settings["listen"] = [[host, port]]
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", "lab.signal_server", json.dumps(settings)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(_PATHS)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the signaling server ended with {process.wait(timeout=30)}")
    bound = json.loads(line)["listen"][0]
    return SignalServer(process, host, int(bound.rpartition(":")[2]))


@contextlib.contextmanager
def signal_server(
    port: int = 0, host: str = "127.0.0.1", prefix: Sequence[str] = (), **settings: Any
) -> Iterator[SignalServer]:
    """`start_server`, killed at the end."""
    server = start_server(port, host, prefix, **settings)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate(timeout=30)


def _main() -> None:
    from folkmoot.domain.address import Address
    from folkmoot_signaling import draining
    from folkmoot_signaling.config import Config
    from folkmoot_signaling.log import EventLog
    from folkmoot_signaling.operation import run
    from folkmoot_signaling.settings import Bounds, Rate, Settings

    given = json.loads(sys.argv[1])
    bounds: dict[str, Any] = {
        name: Rate(*value) if isinstance(value, list) else value
        for name, value in given.pop("bounds", {}).items()
    }
    given["listen"] = tuple(Address(*one) for one in given["listen"])
    if "server_id" in given:
        given["server_id"] = bytes.fromhex(given["server_id"])
    for name in ("names", "origins", "proxies"):
        given[name] = tuple(given.get(name, ()))
    redis, drain_to = given.pop("redis", ""), given.pop("drain_to", "")
    draining.LEAVE_S = given.pop("leave_s", draining.LEAVE_S)
    tls = tuple(Path(file) for file in given.pop("tls", ()))
    if given.pop("loop", "") == "asyncio":
        sys.modules["uvloop"] = None  # type: ignore[assignment]
    settings = Settings(bounds=Bounds(**bounds), **given)
    secured = (tls[0], tls[1]) if tls else None
    config = Config(settings, redis=redis, tls=secured, drain_s=0, drain_to=drain_to)
    run(config, EventLog(b"", "error"))


if __name__ == "__main__":
    _main()
