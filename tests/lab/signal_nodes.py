"""The network part of a node, without the node: its connections to servers and its transport."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from folkmoot.domain.ids import DeviceId
from folkmoot.domain.servers import ServerUrl, parse_server, relay_address
from folkmoot.net.limits import LinkLimits
from folkmoot.net.relay import Relays
from folkmoot.net.signaling import SignalingClients
from folkmoot.net.tls import TlsTransport
from folkmoot.net.ways import WaysTransport
from folkmoot.protocol.keys import Signer
from folkmoot.services.ports import Stream
from folkmoot.services.signaling_port import ServerState
from folkmoot.services.values import ServerPhase


class SeededRandomness:
    """Jitter of one second at most, so that a test need not wait."""

    def __init__(self, seed: int, shortest_s: float = 0.05) -> None:
        self._random = random.Random(seed)
        self.shortest_s = shortest_s
        self.asked: list[tuple[float, float]] = []

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def uniform(self, low: float, high: float) -> float:
        self.asked.append((low, high))
        return low if low < 1 else self.shortest_s


class SignalNode:
    """Connections, transport, and what was told."""

    def __init__(self, number: int, limits: LinkLimits | None = None) -> None:
        self.signer = Signer(bytes([number]) * 32)
        self.device = DeviceId(self.signer.public)
        self.randomness = SeededRandomness(number)
        self.relays = Relays(limits)
        self.transport = WaysTransport(TlsTransport(limits), self.relays, limits)
        self.clients = SignalingClients(lambda: self.signer, self.randomness, self.relays)
        self.clients.attach(self)
        self.told: list[tuple[object, ...]] = []
        self.mails: list[tuple[bytes, bytes]] = []
        self.accepted: asyncio.Queue[Stream] = asyncio.Queue()
        self._changed = asyncio.Event()

    # --- ServerListener ---------------------------------------------------------------------

    def state_changed(self, url: ServerUrl, state: ServerState) -> None:
        self._tell("state", url, state.phase, state.code)

    def came(self, url: ServerUrl, tag: bytes, device: DeviceId) -> None:
        self._tell("came", url, tag, device)

    def went(self, url: ServerUrl, tag: bytes, device: DeviceId) -> None:
        self._tell("went", url, tag, device)

    def mail(self, url: ServerUrl, id: bytes, sealed: bytes) -> None:
        self.mails.append((id, sealed))
        self._changed.set()

    def _tell(self, *told: object) -> None:
        self.told.append(told)
        self._changed.set()

    # --- for tests --------------------------------------------------------------------------

    async def until(self, holds: Callable[[], bool], timeout_s: float = 20) -> None:
        """Wait until something holds that is looked at whenever anything was told."""
        async with asyncio.timeout(timeout_s):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    def count(self, *wanted: object) -> int:
        """How often something was told, by its beginning."""
        return sum(told[: len(wanted)] == wanted for told in self.told)

    async def connect(self, text: str, *tags: bytes) -> ServerUrl:
        """Add a server, be under tags, and wait until it is ready."""
        url = parse_server(text)
        self.clients.add(url)
        self.clients.enter(url, tags)
        await self.until_phase(url, ServerPhase.READY)
        return url

    async def until_phase(
        self, url: ServerUrl, phase: ServerPhase, timeout_s: float = 20
    ) -> ServerState:
        """Wait for a phase."""
        await self.until(lambda: self.clients.state(url).phase is phase, timeout_s)
        return self.clients.state(url)

    async def listen(self) -> None:
        """Take streams, and open each up."""

        async def accept(stream: Stream) -> None:
            stream.open_up()
            self.accepted.put_nowait(stream)

        await self.transport.listen(["127.0.0.1:0"], accept)

    async def call(self, other: SignalNode, url: ServerUrl) -> tuple[Stream, Stream]:
        """A stream through a server: (ours, theirs)."""
        ours = await self.transport.dial(relay_address(url, other.device), 20)
        ours.open_up()
        return ours, await asyncio.wait_for(other.accepted.get(), 20)

    async def aclose(self) -> None:
        await self.clients.aclose()
        await self.transport.aclose()
