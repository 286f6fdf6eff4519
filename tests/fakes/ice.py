"""Ways through NAT in memory: a field on which attempts find each other, or not."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

from fakes.transport import MemoryNetwork, MemoryStream
from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.domain.ids import DeviceId
from folkmoot.services.signaling_port import IceDescription

GARBAGE = "garbage"
"""A candidate that is none."""


class IceField:
    """What lies between all sides. `open`: attempts that know of each other find a way."""

    def __init__(self, network: MemoryNetwork | None = None) -> None:
        self.network = network or MemoryNetwork()
        self.open = True
        self.gather_s = 0.0
        self.connect_s = 0.1
        self.attempts: list[FakeAttempt] = []
        self.numbers = itertools.count(1)

    def ice(self, host: str) -> FakeIce:
        """An adapter for one computer."""
        return FakeIce(self, host)

    def running(self) -> list[FakeAttempt]:
        """Attempts that hold sockets still."""
        return [attempt for attempt in self.attempts if not attempt.closed]


class FakeIce:
    """`services.signaling_port.Ice` on a field."""

    def __init__(self, field: IceField, host: str) -> None:
        self.field = field
        self.host = host
        self.fault: EnvironmentFault | None = None
        self.asked: list[tuple[str, ...]] = []

    async def gather(self, stun: Sequence[str], *, began: bool) -> FakeAttempt:
        self.asked.append(tuple(stun))
        if self.fault is not None:
            raise self.fault
        attempt = FakeAttempt(self.field, self.host, began)
        self.field.attempts.append(attempt)
        try:
            await asyncio.sleep(self.field.gather_s)
        except BaseException:
            await attempt.aclose()
            raise
        return attempt

    async def aclose(self) -> None:
        for attempt in self.field.attempts:
            if attempt.place.startswith(f"{self.host}:") and attempt.stream is not None:
                attempt.stream.end()


class FakeAttempt:
    """`services.signaling_port.IceAttempt`."""

    def __init__(self, field: IceField, host: str, began: bool) -> None:
        self.field = field
        self.began = began
        self.closed = False
        self.stream: MemoryStream | None = None
        self.knows: str | None = None
        self.place = f"{host}:{next(field.numbers)}"
        self.found = asyncio.Event()

    @property
    def description(self) -> IceDescription:
        return IceDescription(self.place, "password", (f"at {self.place}",))

    async def connect(
        self, other: IceDescription, device: DeviceId, timeout_s: float
    ) -> MemoryStream:
        if GARBAGE in other.candidates:
            raise PeerError("bad_candidate", "A candidate is not written as one.")
        self.knows = other.ufrag
        if self.field.open:
            self._find(device)
        try:
            async with asyncio.timeout(timeout_s):
                await self.found.wait()
                await asyncio.sleep(self.field.connect_s)
        except TimeoutError as error:
            raise EnvironmentFault("no_direct_way", "Nothing comes through.") from error
        assert self.stream is not None
        return self.stream

    def _find(self, device: DeviceId) -> None:
        for other in self.field.running():
            if other.place == self.knows and other.knows == self.place:
                assert self.began != other.began, "both sides would dial, or none"
                self._join(other)

    def _join(self, other: FakeAttempt) -> None:
        network, binding = self.field.network, self.place.encode().ljust(32)
        mine, theirs = f"nat://{self.place}", f"nat://{other.place}"
        self.stream = MemoryStream(network, mine, theirs, binding)
        other.stream = MemoryStream(network, theirs, mine, binding)
        self.stream.other, other.stream.other = other.stream, self.stream
        self.found.set()
        other.found.set()

    async def aclose(self) -> None:
        self.closed = True
