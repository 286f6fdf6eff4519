"""Two media processes and the test between them, where the links of two nodes stand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from folkmoot.media.launcher import MediaProcess, ProcessLauncher, media_command
from folkmoot.services.media_port import (
    VERSION,
    AnyReport,
    Begin,
    Connect,
    Describe,
    Described,
    PathChanged,
)

WAIT_S = 30.0
Command = Callable[[str | None], Sequence[str]]


class End:
    """One media process and the name the other one knows it by."""

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.reports: list[AnyReport] = []
        self.ends: list[str] = []
        self.other: End | None = None
        self.media: MediaProcess | None = None
        self._changed = asyncio.Event()

    def take(self, report: AnyReport) -> None:
        self.reports.append(report)
        self._changed.set()
        if isinstance(report, Described) and self.other is not None:
            self.other.send(Describe(self.name, report.connection, report.kind, report.sdp))

    def ended(self, reason: str) -> None:
        self.ends.append(reason)
        self._changed.set()

    def send(self, command: object) -> None:
        assert self.media is not None
        self.media.send(command)  # type: ignore[arg-type]

    async def wait_for(self, told: Callable[[AnyReport], bool], seen: int = 0) -> AnyReport:
        """The first report, after the first `seen`, that is told."""
        async with asyncio.timeout(WAIT_S):
            while True:
                for report in self.reports[seen:]:
                    seen += 1
                    if told(report):
                        return report
                self._changed.clear()
                await self._changed.wait()

    async def several(self, kind: type[AnyReport], count: int) -> None:
        """Wait for so many reports of a kind."""
        await self.wait_for(lambda _: sum(isinstance(each, kind) for each in self.reports) >= count)

    async def path(self, state: str, connection: int = 1) -> None:
        """Wait until a connection is in a state."""
        assert self.other is not None
        peer = self.other.name
        await self.wait_for(lambda r: r == PathChanged(peer, connection, state))


async def launch(end: End, command: Command = media_command) -> MediaProcess:
    end.media = await ProcessLauncher(True, command=command).launch(
        Begin(VERSION, devices=False), end.take, end.ended
    )
    return end.media


@asynccontextmanager
async def two(command: Command = media_command) -> AsyncIterator[tuple[End, End]]:
    ada, bob = End(b"a" * 32), End(b"b" * 32)
    ada.other, bob.other = bob, ada
    await asyncio.gather(launch(ada, command), launch(bob, command))
    try:
        yield ada, bob
    finally:
        for end in (ada, bob):
            assert end.media is not None
            await end.media.aclose()


def connect(ada: End, bob: End, number: int = 1) -> None:
    bob.send(Connect(ada.name, number, offers=False))
    ada.send(Connect(bob.name, number, offers=True))
