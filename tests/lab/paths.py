"""Datagram paths in memory that lose, double, delay, change and reorder what they carry, by a seed;
and QUIC over them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from folkmoot.domain.errors import FolkmootError
from folkmoot.net.ways import WaysTransport
from folkmoot.services.ports import Stream


@dataclass
class Weather:
    """What happens to a datagram; probabilities, delays in seconds."""

    loss: float = 0.0
    double: float = 0.0
    change: float = 0.0
    delay_s: tuple[float, float] = (0.0, 0.0)
    dead: bool = False


class MemoryPath:
    """One end of a path; what is sent is handed to `other` in a later turn of the loop."""

    def __init__(self, chance: random.Random, weather: Weather, max_bytes: int) -> None:
        self.chance = chance
        self.weather = weather
        self.max_datagram_bytes = max_bytes
        self.busy = False
        self.closed = False
        self.sent = 0
        self.other: MemoryPath = self
        self.received: Callable[[bytes], None] = lambda datagram: None
        self.resumed: Callable[[], None] = lambda: None
        self.ended: Callable[[FolkmootError], None] = lambda error: None

    def attach(
        self,
        received: Callable[[bytes], None],
        resumed: Callable[[], None],
        ended: Callable[[FolkmootError], None],
    ) -> None:
        self.received, self.resumed, self.ended = received, resumed, ended

    def send(self, datagram: bytes) -> None:
        assert len(datagram) <= self.max_datagram_bytes
        assert not self.closed
        self.sent += 1
        weather, chance = self.weather, self.chance
        if weather.dead or chance.random() < weather.loss:
            return
        if chance.random() < weather.change:
            changed = bytearray(datagram)
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
            datagram = bytes(changed)
        for _ in range(2 if chance.random() < weather.double else 1):
            delay_s = chance.uniform(*weather.delay_s)
            loop = asyncio.get_running_loop()
            if delay_s:
                loop.call_later(delay_s, self.other.arrive, datagram)
            else:
                loop.call_soon(self.other.arrive, datagram)

    def arrive(self, datagram: bytes) -> None:
        if not self.closed:
            self.received(datagram)

    def close(self) -> None:
        self.closed = True


def make_paths(
    weather: Weather | None = None, seed: int = 1, max_bytes: int = 1200
) -> tuple[MemoryPath, MemoryPath]:
    """Both ends of a path, under one weather."""
    chance, weather = random.Random(seed), weather or Weather()
    one = MemoryPath(chance, weather, max_bytes)
    other = MemoryPath(chance, weather, max_bytes)
    one.other, other.other = other, one
    return one, other


async def connect(
    one: WaysTransport,
    other: WaysTransport,
    paths: tuple[MemoryPath, MemoryPath],
    timeout_s: float = 20,
) -> tuple[Stream, Stream]:
    """Both ends of a new stream over `paths`, the dialler's first."""
    accepted, dialled = await asyncio.gather(
        other.over(paths[1], "nat://there", True, timeout_s),
        one.over(paths[0], "nat://here", False, timeout_s),
    )
    return dialled, accepted
