"""A signaling server in memory: rooms, mail, and relayed streams at ``relay://`` addresses.

It can go away and come back, be slow, and lose frames for good: a stream through it then goes on
without a word until whoever waits for an answer gives it up.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fakes.mail import PostOffice
from fakes.transport import MemoryNetwork, MemoryStream, MemoryTransport
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import DeviceId
from folkmoot.domain.servers import RELAY_PREFIX, ServerUrl, parse_relay_address, relay_address
from folkmoot.services.ports import Stream
from folkmoot.services.signaling_port import ServerListener, ServerState
from folkmoot.services.values import ServerPhase


@dataclass
class ServerFaults:
    """`delay_s`: each relayed frame takes so long, in order. `loss`: the chance that a stream loses
    a frame, and with it all that follow: QUIC hands nothing on past a hole."""

    delay_s: tuple[float, float] = (0.0, 0.0)
    loss: float = 0.0


class MemoryServer:
    """One server. Who is connected is `clients`; `relayed` counts frames."""

    def __init__(self, url: ServerUrl, seed: int = 0) -> None:
        self.url = url
        self.up = True
        self.random = random.Random(seed)
        self.faults = ServerFaults()
        self.network = MemoryNetwork(seed)
        self.clients: dict[DeviceId, FakeSignaling] = {}
        self.waiting: set[FakeSignaling] = set()
        self.rooms: dict[bytes, dict[DeviceId, None]] = {}
        self.office = PostOffice()
        self.relayed = 0
        self.dialled = 0

    def kill(self) -> None:
        """Gone without a word: nothing passes any more, and every stream through it is dead."""
        self.up = False
        rooms = {tag: list(devices) for tag, devices in self.rooms.items()}
        self.rooms.clear()
        self.network.cut.add((str(self.url), str(self.url)))
        for device in list(self.clients):
            self.clients.pop(device).lost(self, rooms)

    def start(self) -> None:
        """Back, with no memory of who was there; everybody connects again within two seconds."""
        self.up = True
        self.network.streams.clear()
        self.network.cut.clear()
        for client in sorted(self.waiting, key=lambda client: client.device):
            client.connect_later(self)

    def enter(self, client: FakeSignaling, tags: Sequence[bytes]) -> None:
        """A client is under exactly these tags from now on."""
        for tag, devices in self.rooms.items():
            if tag not in tags and devices.pop(client.device, client) is None:
                for other in devices:
                    self._tell(self.clients[other], "went", tag, client.device)
        for tag in tags:
            devices = self.rooms.setdefault(tag, {})
            if client.device in devices:
                continue
            for other in devices:
                self._tell(self.clients[other], "came", tag, client.device)
                self._tell(client, "came", tag, other)
            devices[client.device] = None

    def _tell(self, client: FakeSignaling, what: str, tag: bytes, device: DeviceId) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(self._delay_s(), client.hear, self, what, tag, device)

    def leave(self, client: FakeSignaling) -> None:
        """A client says goodbye."""
        if self.clients.pop(client.device, None) is client:
            self.enter(client, ())

    def _delay_s(self) -> float:
        return self.random.uniform(*self.faults.delay_s)

    async def dial(self, client: FakeSignaling, device: DeviceId) -> MemoryStream:
        """A stream to another client."""
        self.dialled += 1
        await asyncio.sleep(2 * self._delay_s())
        other = self.clients.get(device)
        shared = any(client.device in room and device in room for room in self.rooms.values())
        if other is None or other.accept is None or not shared or client.device not in self.clients:
            raise EnvironmentFault("unreachable", "This device is not at the server.")
        here, there = relay_address(self.url, client.device), relay_address(self.url, device)
        binding = hashlib.sha256(there.encode()).digest()
        ours = RelayedStream(self, here, there, binding)
        theirs = RelayedStream(self, there, here, binding)
        ours.other, theirs.other = theirs, ours
        other.take(theirs)
        return ours


class RelayedStream(MemoryStream):
    """One end of a stream through a server."""

    def __init__(self, server: MemoryServer, local: str, remote: str, binding: bytes) -> None:
        super().__init__(server.network, local, remote, binding)
        self.other: MemoryStream
        self.local_host = self.remote_host = str(server.url)
        self.server = server
        self.holed = False
        self.on_the_way: deque[bytes] = deque()

    def send(self, frame: bytes) -> None:
        """Hand a frame to the server, as long as nothing was lost."""
        faults = self.server.faults
        if self not in self.server.network.streams:
            return  # the server was away, and knows nothing of this stream any more
        proved = self._limit > 4096
        if proved and faults.loss and self.server.random.random() < faults.loss:
            self.holed = True
        if not self.holed:
            self.server.relayed += 1
            super().send(frame)

    def _pass_on(self, frame: bytes) -> None:
        loop = asyncio.get_running_loop()
        when = self._last_arrival = max(loop.time() + self.server._delay_s(), self._last_arrival)
        self.on_the_way.append(frame)
        loop.call_at(when, self._hand_on)

    def _hand_on(self) -> None:
        """Timers of one moment run in any order; frames keep theirs."""
        self.other._arrive(self.on_the_way.popleft())
        if self.closed and not self.on_the_way:
            self.other._stop()

    def end(self) -> None:
        """Close this end; the other one is told behind what is on its way."""
        if self.on_the_way:
            self._stop()
        else:
            super().end()


class FakeSignaling:
    """`services.signaling_port.Signaling` on `MemoryServer`s, found by their address."""

    def __init__(self, device: DeviceId, servers: dict[ServerUrl, MemoryServer]) -> None:
        self.device = device
        self.servers = servers
        self.accept: Callable[[Stream], Awaitable[None]] | None = None
        self.listener: ServerListener | None = None
        self.states: dict[ServerUrl, ServerState] = {}
        self.tags: dict[ServerUrl, tuple[bytes, ...]] = {}
        self.woken = 0
        # Kept in order, not by address in memory: a simulation ends them alike in each run.
        self._streams: dict[MemoryStream, None] = {}
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._timers: list[asyncio.TimerHandle] = []

    # What the node calls ---------------------------------------------------------------------

    def attach(self, listener: ServerListener) -> None:
        """Whom to tell."""
        self.listener = listener

    def add(self, url: ServerUrl) -> None:
        """Connect as soon as it is there."""
        self._set(url, ServerState(ServerPhase.CONNECTING))
        server = self.servers.get(url)
        if server is None or not server.up:
            asyncio.get_running_loop().call_soon(self._away, url)
        if server is not None:
            server.waiting.add(self)
            if server.up:
                self.connect_later(server, 0.05)

    def remove(self, url: ServerUrl) -> None:
        """Say goodbye."""
        self.states.pop(url, None)
        server = self.servers.get(url)
        if server is not None:
            server.waiting.discard(self)
            server.leave(self)

    def state(self, url: ServerUrl) -> ServerState:
        """How it stands."""
        return self.states.get(url, ServerState(ServerPhase.OFF))

    def enter(self, url: ServerUrl, tags: Sequence[bytes]) -> None:
        """Be under these tags."""
        self.tags[url] = tuple(tags)
        server = self.servers.get(url)
        if server is not None and self.device in server.clients:
            server.enter(self, tags)

    def wake(self) -> None:
        """The network changed."""
        self.woken += 1

    async def put(
        self, url: ServerUrl, recipient: DeviceId, grant: bytes, sealed: bytes, keep_s: int
    ) -> int:
        """Leave an envelope."""
        server = self.servers.get(url)
        if server is None or self.device not in server.clients:
            raise EnvironmentFault("not_connected", "The server is not connected.")
        await asyncio.sleep(server.office.put_s)
        kept_s = server.office.put(self.device, recipient, grant, sealed, keep_s)
        other = server.clients.get(recipient)
        if other is not None:
            other.deliver(server)
        return kept_s

    def taken(self, url: ServerUrl, ids: Sequence[bytes]) -> None:
        """Forget these."""
        server = self.servers.get(url)
        if server is not None and self.device in server.clients:
            server.office.take(self.device, ids)

    async def aclose(self) -> None:
        """Leave every server."""
        for timer in self._timers:
            timer.cancel()
        for url in list(self.states):
            self.remove(url)
        for stream in list(self._streams):
            stream.end()

    # What servers call -----------------------------------------------------------------------

    def connect_later(self, server: MemoryServer, within_s: float = 2.0) -> None:
        """Connect after a moment, if it is still there then."""
        delay_s = server.random.uniform(0.0, within_s)
        timer = asyncio.get_running_loop().call_later(delay_s, self._connect, server)
        self._timers.append(timer)

    def _connect(self, server: MemoryServer) -> None:
        if not server.up or self not in server.waiting or self.device in server.clients:
            return
        server.clients[self.device] = self
        mail_s = server.office.limits.keep_s
        self._set(server.url, ServerState(ServerPhase.READY, rtt_ms=5.0, mail_s=mail_s))
        server.enter(self, self.tags.get(server.url, ()))
        self.deliver(server)

    def deliver(self, server: MemoryServer) -> None:
        """Hand over what waits."""
        for id, sealed in server.office.waiting(self.device):
            if self.listener is not None:
                self.listener.mail(server.url, id, sealed)

    def lost(self, server: MemoryServer, others: dict[bytes, list[DeviceId]]) -> None:
        """The connection broke for good: nobody is there any more, as far as we know."""
        if self.listener is not None:
            for tag, devices in others.items():
                for device in devices:
                    self.listener.went(server.url, tag, device)
        self._away(server.url)

    def _away(self, url: ServerUrl) -> None:
        if url in self.states:
            words = "The server does not answer."
            self._set(url, ServerState(ServerPhase.WAITING, "unreachable", words))

    def hear(self, server: MemoryServer, what: str, tag: bytes, device: DeviceId) -> None:
        """Somebody came or went."""
        if self.listener is None or server.clients.get(self.device) is not self:
            return
        told = self.listener.came if what == "came" else self.listener.went
        told(server.url, tag, device)

    def listener_told(self, what: str, url: ServerUrl, tag: bytes, device: DeviceId) -> None:
        """Say that somebody came or went, whether or not it is true."""
        assert self.listener is not None
        (self.listener.came if what == "came" else self.listener.went)(url, tag, device)

    def take(self, stream: MemoryStream) -> None:
        """Somebody dialled us."""
        self._streams[stream] = None
        task = asyncio.get_running_loop().create_task(self._serve(stream))
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)

    async def _serve(self, stream: MemoryStream) -> None:
        assert self.accept is not None
        try:
            await self.accept(stream)
        finally:
            stream.end()

    def _set(self, url: ServerUrl, state: ServerState) -> None:
        self.states[url] = state
        if self.listener is not None:
            self.listener.state_changed(url, state)


class MemoryWays:
    """`services.ports.Transport`: ``relay://`` addresses through servers, others on the network."""

    def __init__(self, inner: MemoryTransport, signaling: FakeSignaling) -> None:
        self.inner = inner
        self.signaling = signaling

    async def listen(
        self, addresses: Sequence[str], accept: Callable[[Stream], Awaitable[None]]
    ) -> list[str]:
        """Listen on the network and at every server."""
        self.signaling.accept = accept
        return await self.inner.listen(addresses, accept)

    async def dial(self, address: str, timeout_s: float) -> Stream:
        """Dial whatever the address asks for."""
        if not address.startswith(RELAY_PREFIX):
            return await self.inner.dial(address, timeout_s)
        place, device = parse_relay_address(address)
        servers = self.signaling.servers
        server = next((one for url, one in servers.items() if url.place == place), None)
        if server is None:
            raise EnvironmentFault("unreachable", "This server is not connected.")
        try:
            async with asyncio.timeout(timeout_s):
                stream = await server.dial(self.signaling, device)
        except TimeoutError:
            raise EnvironmentFault("unreachable", "The device does not answer.") from None
        self.signaling._streams[stream] = None
        return stream

    async def addresses(self) -> list[str]:
        """Of the network."""
        return await self.inner.addresses()

    async def aclose(self) -> None:
        """Stop listening."""
        await self.inner.aclose()
        for stream in list(self.signaling._streams):
            stream.end()
