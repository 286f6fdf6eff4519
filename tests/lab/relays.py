"""A relay in memory: what a signaling server does with relayed frames, and nothing else."""

from __future__ import annotations

import asyncio
import random

from folkmoot.domain.ids import DeviceId
from folkmoot.domain.servers import ServerUrl, relay_address
from folkmoot.net.limits import LinkLimits
from folkmoot.net.relay import Relays, ServerRelay
from folkmoot.net.tls import TlsTransport
from folkmoot.net.ways import WaysTransport, load_quic

SERVER = ServerUrl("wss", "meet.example.org", 443)


class MemoryServer:
    """Hands frames on between the carriers that are connected to it."""

    def __init__(self, loss: float = 0.0, seed: int = 1) -> None:
        self.carriers: dict[DeviceId, MemoryCarrier] = {}
        self.loss = loss
        self.chance = random.Random(seed)

    async def side(self, number: int, limits: LinkLimits | None = None) -> MemoryCarrier:
        """A node behind the server."""
        await load_quic()
        return MemoryCarrier(self, DeviceId(bytes([number]) * 32), limits)


class MemoryCarrier:
    """A `net.relay.Carrier` with the transport of its node."""

    def __init__(self, server: MemoryServer, device: DeviceId, limits: LinkLimits | None) -> None:
        self.server = server
        self.device = device
        self.max_relayed_bytes = 16 * 1024
        self.busy = False
        self.frames = 0
        relays = Relays(limits)
        self.transport = WaysTransport(TlsTransport(limits), relays, limits)
        self.relay_here: ServerRelay = relays.make(SERVER, device, self)
        self.address = relay_address(SERVER, device)
        server.carriers[device] = self

    @property
    def relaying(self) -> bool:
        return not self.busy

    def relay(self, device: DeviceId, payload: bytes) -> None:
        """Hand a frame on in a later turn, or say that nobody is there."""
        self.frames += 1
        if self.server.chance.random() < self.server.loss:
            return
        loop = asyncio.get_running_loop()
        there = self.server.carriers.get(device)
        if there is None:
            loop.call_soon(self.relay_here.gone, device)
        else:
            loop.call_soon(there.relay_here.received, self.device, payload)

    def leave(self) -> None:
        """The connection to the server is lost."""
        self.server.carriers.pop(self.device, None)
        self.busy = True

    def come_back(self) -> None:
        """It is connected again."""
        self.server.carriers[self.device] = self
        self.busy = False
        self.relay_here.resumed()
