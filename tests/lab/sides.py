"""Ends of calls in processes of their own, the baseline's and ours, behind the same few methods.

A side has connections by key. `connect` joins two sides with descriptions, as signalling would.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from folkmoot.media.launcher import MediaProcess, ProcessLauncher, media_command
from folkmoot.services.media_port import (
    VERSION,
    AnyReport,
    AudioPlan,
    Begin,
    Command,
    Connect,
    Describe,
    Described,
    PathChanged,
    SetAudio,
    SetVideo,
    StatsTaken,
    VideoPlan,
)
from lab.plans import StockPlan, WindowPlan

CONNECT_S = 40.0
END_S = 5.0
_CLOCK = os.sysconf("SC_CLK_TCK")
_TESTS = Path(__file__).resolve().parents[1]


class Side(Protocol):
    """One end; a key names a connection."""

    @property
    def pid(self) -> int:
        """The number of the process."""
        ...

    async def offer(self, key: str) -> str:
        """Make a connection and offer it."""
        ...

    async def answer(self, key: str, sdp: str) -> str:
        """Make a connection from an offer."""
        ...

    async def accept(self, key: str, sdp: str) -> None:
        """Take the answer."""
        ...

    async def connected(self, key: str) -> None:
        """Wait until media may flow."""
        ...


async def connect(offerer: Side, answerer: Side, key: str) -> None:
    """Join two sides; both call the connection `key`."""
    async with asyncio.timeout(CONNECT_S):
        answer = await answerer.answer(key, await offerer.offer(key))
        await offerer.accept(key, answer)
        await offerer.connected(key)
        await answerer.connected(key)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far, in user and system mode, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _CLOCK


class PeerSide:
    """`lab.stock_peer` or `lab.our_window` as a process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def offer(self, key: str) -> str:
        return str(await self.order("offer", key=key))

    async def answer(self, key: str, sdp: str) -> str:
        return str(await self.order("answer", key=key, sdp=sdp))

    async def accept(self, key: str, sdp: str) -> None:
        await self.order("accept", key=key, sdp=sdp)

    async def connected(self, key: str) -> None:
        while (await self.order("state"))[key] != "connected":  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def report(self) -> dict[str, Any]:
        """What it received: `pictures` (time, micros, number) and `counted` (times), by key."""
        report = await self.order("report")
        assert isinstance(report, dict)
        return report

    async def order(self, act: str, **more: object) -> Any:
        """One order and its answer."""
        assert self._process.stdin is not None
        async with self._turn:
            self._process.stdin.write(json.dumps({"do": act, **more}).encode() + b"\n")
            return await self.hear()

    async def hear(self) -> Any:
        """One answer."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "the process of a side ended"
        return json.loads(line)

    async def aclose(self) -> None:
        """End it: at the end of its input, or by force."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(END_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@contextlib.asynccontextmanager
async def stock_side(
    plan: StockPlan, *, prefix: Sequence[str] = (), environment: dict[str, str] | None = None
) -> AsyncIterator[PeerSide]:
    """The baseline with this plan, in a process of its own."""
    async with _peer("lab.stock_peer", dataclasses.asdict(plan), prefix, environment) as side:
        yield side


@contextlib.asynccontextmanager
async def window_side(
    plan: WindowPlan, *, prefix: Sequence[str] = (), environment: dict[str, str] | None = None
) -> AsyncIterator[PeerSide]:
    """Ours with tiles, in two processes: the media process is its child."""
    async with _peer("lab.our_window", dataclasses.asdict(plan), prefix, environment) as side:
        yield side


@contextlib.asynccontextmanager
async def _peer(
    module: str,
    plan: dict[str, Any],
    prefix: Sequence[str],
    environment: dict[str, str] | None,
) -> AsyncIterator[PeerSide]:
    process = await asyncio.create_subprocess_exec(
        *(*prefix, sys.executable, "-m", module, json.dumps(plan)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 26,
        env=_environment(environment),
    )
    side = PeerSide(process)
    try:
        async with asyncio.timeout(CONNECT_S):
            assert await side.hear() == "ready"
        yield side
    finally:
        await side.aclose()


class OurSide:
    """The shipped media process, told what to do as the node tells it."""

    def __init__(self, media: MediaProcess) -> None:
        self._media = media
        self._descriptions: dict[str, asyncio.Queue[str]] = {}
        self._flowing: dict[str, asyncio.Event] = {}
        self.reports: list[AnyReport] = []

    @property
    def pid(self) -> int:
        return self._media.pid

    @property
    def memory(self) -> memoryview | None:
        """The shared memory of its tiles."""
        return self._media.memory

    def send(self, command: Command) -> None:
        """Tell it something."""
        self._media.send(command)

    async def offer(self, key: str) -> str:
        return await self._connect(key, offers=True)

    async def answer(self, key: str, sdp: str) -> str:
        self._make(key)
        self.send(Connect(key.encode(), 1, False))
        self.send(Describe(key.encode(), 1, "offer", sdp))
        return await self._descriptions[key].get()

    async def accept(self, key: str, sdp: str) -> None:
        self.send(Describe(key.encode(), 1, "answer", sdp))

    async def connected(self, key: str) -> None:
        await self._flowing[key].wait()

    def is_connected(self, key: str) -> bool:
        """Whether media may flow."""
        return self._flowing[key].is_set()

    def connections(self) -> list[str]:
        """Its connections."""
        return list(self._flowing)

    def stats(self) -> list[StatsTaken]:
        """The statistics so far, one a second."""
        return [each for each in self.reports if isinstance(each, StatsTaken)]

    def take(self, report: AnyReport) -> None:
        """Note a report."""
        self.reports.append(report)
        if isinstance(report, Described):
            self._descriptions[report.peer.decode()].put_nowait(report.sdp)
        elif isinstance(report, PathChanged) and report.state in ("connected", "flowing"):
            self._flowing[report.peer.decode()].set()

    async def _connect(self, key: str, offers: bool) -> str:
        self._make(key)
        self.send(Connect(key.encode(), 1, offers))
        return await self._descriptions[key].get()

    def _make(self, key: str) -> None:
        self._descriptions[key] = asyncio.Queue()
        self._flowing[key] = asyncio.Event()


@contextlib.asynccontextmanager
async def our_side(
    *,
    audio: AudioPlan | None = None,
    video: VideoPlan | None = None,
    window: bool = False,
    devices: bool = False,
    prefix: Sequence[str] = (),
    environment: dict[str, str] | None = None,
    program: Callable[[str | None], Sequence[str]] = media_command,
) -> AsyncIterator[OurSide]:
    """The shipped media process, or another `program` around it, with these plans."""
    words = [f"{key}={value}" for key, value in (environment or {}).items()]

    def command(memory: str | None) -> list[str]:
        return [*prefix, *(["env", *words] if words else []), *program(memory)]

    sides: list[OurSide] = []
    early: list[AnyReport] = []
    launched = await ProcessLauncher(window, command=command).launch(
        Begin(VERSION, devices),
        lambda report: sides[0].take(report) if sides else early.append(report),
        lambda reason: None,
    )
    side = OurSide(launched)
    side.reports.extend(early)
    sides.append(side)
    try:
        if audio is not None:
            side.send(SetAudio(audio))
        if video is not None:
            side.send(SetVideo(video))
        yield side
    finally:
        await launched.aclose()


def _environment(more: dict[str, str] | None) -> dict[str, str]:
    paths = os.pathsep.join(str(_TESTS.parent / each) for each in ("app", "signaling", "tests"))
    return {**os.environ, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", **(more or {})}
