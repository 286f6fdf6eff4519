"""A small world for simulations: hosts with shipped nodes on a network that can be made bad.

Each host has a store file of its own that outlives the node: `crash` ends a node in the middle of
whatever it does, and what was not committed is lost. Time, chance and the network are the loop's.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from fakes.discovery import MemoryAir, MemoryDiscovery
from fakes.ice import IceField
from fakes.media import FakeLauncher
from fakes.recordings import FakeRecordingFiles
from fakes.signaling import FakeSignaling, MemoryServer, MemoryWays
from fakes.transport import MemoryNetwork, MemoryTransport
from folkmoot.domain.servers import ServerUrl, parse_server
from folkmoot.net.sealing import HpkeSealer
from folkmoot.protocol.keys import Signer
from folkmoot.services.keyring import Keyring, make_keyring
from folkmoot.services.node import Installation, Node
from folkmoot.storage.lanes import InlineLanes
from folkmoot.storage.rows import Rows
from folkmoot.storage.store import SqliteStore

T = TypeVar("T")
START_MS = 1_790_000_000_000
WORD_LIST = tuple(f"word{number}" for number in range(2048))


class LoopClock:
    """The date by the time of the running loop."""

    def __init__(self, offset_ms: int = 0) -> None:
        self.offset_ms = offset_ms

    def wall_ms(self) -> int:
        return START_MS + self.offset_ms + int(asyncio.get_running_loop().time() * 1000)


class SeededRandomness:
    """Random bytes that are the same for the same seed."""

    def __init__(self, seed: object) -> None:
        self._random = random.Random(repr(seed))

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)


class SlowLanes(InlineLanes):
    """Inline lanes that take a moment for each write, so that a crash can come before it."""

    def __init__(self, delay_s: Callable[[], float]) -> None:
        super().__init__()
        self._delay_s = delay_s
        self._turn = asyncio.Lock()

    async def write(self, job: Callable[[Rows], T], *, frees: bool = False) -> T:
        async with self._turn:
            await asyncio.sleep(self._delay_s())
            return await super().write(job, frees=frees)


def keys_of(name: str) -> Keyring:
    """The keyring that belongs to a name."""
    person, device, seal = (
        sha256(f"{what} {name}".encode()).digest() for what in ("person", "device", "seal")
    )
    return make_keyring(Signer(person), Signer(device), seal, f"{name}'s computer", START_MS)


class Host:
    """One computer: a store that lasts and, while it runs, a node."""

    def __init__(
        self,
        name: str,
        network: MemoryNetwork,
        air: MemoryAir | None,
        folder: Path,
        number: int,
        store_delay_s: float,
        servers: dict[ServerUrl, MemoryServer],
    ) -> None:
        self.name = name
        self.servers = servers
        self.address = f"10.0.0.{number}:7000"
        self.ip = f"10.0.0.{number}"
        self.keyring = keys_of(name)
        self.path = folder / f"{name}.sqlite3"
        self.network = network
        self.air = air
        self.starts = 0
        self.bugs: list[str] = []
        self.media = FakeLauncher()
        self.files = FakeRecordingFiles()
        self._folder = folder
        self._delay_s = store_delay_s
        self._node: Node | None = None
        self._store: SqliteStore | None = None
        self._transport: MemoryTransport | None = None
        self._discovery: MemoryDiscovery | None = None
        self._signaling: FakeSignaling | None = None
        self.field: IceField | None = None

    @property
    def node(self) -> Node:
        assert self._node is not None, f"{self.name} does not run"
        return self._node

    @property
    def store(self) -> SqliteStore:
        assert self._store is not None, f"{self.name} does not run"
        return self._store

    @property
    def signaling(self) -> FakeSignaling:
        assert self._signaling is not None, f"{self.name} does not run"
        return self._signaling

    @property
    def runs(self) -> bool:
        return self._node is not None

    def another(self, name: str, number: int) -> Host:
        """A further computer of the same world."""
        made = (name, self.network, self.air, self._folder, number, self._delay_s, self.servers)
        host = Host(*made)
        host.field = self.field
        return host

    async def boot(self, peers: Sequence[str] = (), servers: Sequence[str] = ()) -> Node:
        """Start the node on what is stored."""
        self.starts += 1
        randomness = SeededRandomness((self.name, self.starts, self.network.random.random()))
        clock = LoopClock()
        lanes = (
            SlowLanes(lambda: randomness.uniform(0, self._delay_s))
            if self._delay_s
            else InlineLanes()
        )
        self._transport = self.network.transport(self.ip)
        self._store = await SqliteStore.open(
            self.path, self.keyring.person, self.keyring.device, clock=clock, lanes=lanes
        )
        self._discovery = self.air.discovery(self.ip) if self.air is not None else None
        self._signaling = FakeSignaling(self.keyring.device, self.servers)
        installation = Installation(
            keyring=self.keyring,
            words=("a", "b", "c", "d"),
            word_list=WORD_LIST,
            version="sim",
            proposed_name=self.name,
            save=self._save,
        )
        node = self._node = Node(
            installation,
            self._store,
            clock,
            randomness,
            MemoryWays(self._transport, self._signaling),
            self._discovery,
            media=self.media,
            recording_files=self.files,
            signaling=self._signaling,
            ice=None if self.field is None else self.field.ice(self.ip),
            sealer=HpkeSealer(),
        )
        node.events.listen(self._look_for_bugs)
        await node.start([self.address] if self.address else [], peers, servers)
        return node

    async def _save(self, keyring: Keyring) -> None:
        self.keyring = keyring

    def _look_for_bugs(self, event: object) -> None:
        if getattr(event, "code", "") == "internal_error":
            self.bugs.append(f"{self.name}: {getattr(event, 'message', '')}")

    async def crash(self) -> None:
        """End the node at once: no goodbye, nothing more is written."""
        node, self._node = self.node, None
        assert self._transport is not None
        assert self._signaling is not None
        await self._transport.aclose()
        await self._signaling.aclose()
        if self._discovery is not None:
            await self._discovery.aclose()
        await node.supervisor.aclose()
        await node.presence.aclose()
        await self.store.aclose()
        self._store = None

    async def stop(self) -> None:
        """Close the node as a person does."""
        node, self._node = self.node, None
        await node.aclose()
        self._store = None


class World:
    """Hosts ``ann``, ``ben``, … on one network."""

    def __init__(
        self,
        names: Sequence[str],
        folder: Path,
        seed: int = 1,
        *,
        store_delay_s: float = 0.0,
        discovery: bool = False,
    ) -> None:
        self.network = MemoryNetwork(seed)
        self.air = MemoryAir() if discovery else None
        self.servers: dict[ServerUrl, MemoryServer] = {}
        self.hosts = {
            name: Host(name, self.network, self.air, folder, number, store_delay_s, self.servers)
            for number, name in enumerate(names, start=1)
        }

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def ice(self) -> IceField:
        """From their next boot on the hosts look for ways through NAT on this field."""
        field = IceField(self.network)
        for host in self.hosts.values():
            host.field = field
        return field

    def server(self, url: str = "wss://talk.example.org", seed: int = 1) -> MemoryServer:
        """A signaling server that every host can reach."""
        server = MemoryServer(parse_server(url), seed)
        self.servers[server.url] = server
        return server

    def apart(self) -> None:
        """No host reaches another, but for servers."""
        for one in self.hosts.values():
            for other in self.hosts.values():
                if one is not other:
                    self.network.part(one.ip, other.ip)

    async def aclose(self) -> None:
        """Stop what runs."""
        for host in self.hosts.values():
            if host.runs:
                await host.stop()


async def until(condition: Callable[[], bool], within_s: float, step_s: float = 0.05) -> None:
    """Wait on the loop's own time until `condition` holds; fails after `within_s`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within_s
    while not condition():
        assert loop.time() < end, f"not within {within_s} s"
        await asyncio.sleep(step_s)
