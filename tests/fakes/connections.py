"""Servers and a connection doctor in memory: they say what a test lets them say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from folkmoot.domain.errors import FolkmootError, UserError
from folkmoot.domain.ranges import parse_range
from folkmoot.domain.servers import MAX_SERVERS, parse_server
from folkmoot.services.events import Event, ServersChanged
from folkmoot.services.values import DoctorReport, ScanReport, Server, ServerPhase

Publish = Callable[[Event], None]


class FakeServers:
    """`node.servers` without a network."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self.held: list[Server] = []

    def list(self) -> list[Server]:
        return list(self.held)

    async def add(self, url: str) -> Server:
        made = Server(str(parse_server(url)), ServerPhase.CONNECTING)
        if len(self.held) >= MAX_SERVERS:
            raise UserError("too_many_servers", f"There are {MAX_SERVERS} servers already.")
        if made.url not in [server.url for server in self.held]:
            self.held.append(made)
            self.tell()
        return made

    async def remove(self, url: str) -> None:
        self.held = [server for server in self.held if server.url != url]
        self.tell()

    def urls(self) -> Sequence[str]:
        """What goes into an invitation."""
        return [server.url for server in self.held]

    def tell(self) -> None:
        """Say how they stand."""
        self._publish(ServersChanged(tuple(self.held)))

    def change(self, url: str, **changes: object) -> None:
        """One of them stands otherwise now."""
        self.held = [
            replace(server, **changes) if server.url == url else server  # type: ignore[arg-type]
            for server in self.held
        ]
        self.tell()


class FakeDoctor:
    """`node.doctor`. A check ends when `ends` is set, on the node's loop."""

    def __init__(self, found: DoctorReport) -> None:
        self.found = found
        self.checked = 0
        self.reported = 0
        self.fault: FolkmootError | None = None
        self.ends: asyncio.Event | None = None
        self.scanned: list[str] = []

    async def report(self) -> DoctorReport:
        self.reported += 1
        if self.fault is not None:
            raise self.fault
        return self.found

    def scan(self, text: str) -> ScanReport:
        self.scanned.append(text)
        begun = ScanReport(text, len(parse_range(text)), 0, (), (), over=False)
        self.found = replace(self.found, scans=(begun,))
        return begun

    async def check(self) -> DoctorReport:
        self.checked += 1
        if self.ends is not None:
            await self.ends.wait()
        if self.fault is not None:
            raise self.fault
        return self.found
