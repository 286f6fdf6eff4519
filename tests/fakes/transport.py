"""Streams in memory for the `Transport` port: hosts on one network that can be made unreliable.

Without faults it keeps the promises of a real adapter (order, nothing lost, bounded buffers, small
frames before the proofs). With faults, drawn from a seeded generator, frames are lost, doubled,
delayed and overtake each other, and pairs of hosts can be cut off, also in one direction only.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from folkmoot.domain.errors import EnvironmentFault, PeerError

SMALL_FRAME_BYTES = 4 * 1024
LARGE_FRAME_BYTES = 1024 * 1024
BUFFER_BYTES = 8 * 1024 * 1024
LOW_MARK_BYTES = 256 * 1024


@dataclass
class Faults:
    """How unreliable the network is; probabilities in [0, 1], delays in seconds."""

    loss: float = 0.0
    double: float = 0.0
    delay_s: tuple[float, float] = (0.0, 0.0)
    reorder: bool = False


class MemoryNetwork:
    """Hosts and who listens where. `host` names are like ``10.0.0.1``."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)
        self.faults = Faults()
        self.cut: set[tuple[str, str]] = set()
        self.listeners: dict[str, MemoryTransport] = {}
        self.streams: set[MemoryStream] = set()
        self.ports = itertools.count(40_000)

    def transport(self, host: str) -> MemoryTransport:
        """A transport for one host."""
        return MemoryTransport(self, host)

    def part(self, left: str, right: str, *, one_way: bool = False) -> None:
        """From now on nothing passes from `left` to `right` (nor back)."""
        self.cut.add((left, right))
        if not one_way:
            self.cut.add((right, left))

    def heal(self) -> None:
        """Every host reaches every other again."""
        self.cut.clear()

    def break_streams(self, left: str, right: str) -> None:
        """Every stream between two hosts ends now, as by a reset."""
        for stream in sorted(self.streams, key=lambda stream: stream.number):
            if {stream.local_host, stream.remote_host} == {left, right}:
                stream.end()

    def arrivals(self) -> list[float]:
        """Delays after which the copies of one frame arrive; none if it is lost."""
        faults = self.faults
        copies = 2 if faults.double and self.random.random() < faults.double else 1
        return [
            self.random.uniform(*faults.delay_s)
            for _ in range(copies)
            if not (faults.loss and self.random.random() < faults.loss)
        ]


class MemoryStream:
    """One end of a stream."""

    def __init__(self, network: MemoryNetwork, local: str, remote: str, binding: bytes) -> None:
        self.network = network
        self.number = next(network.ports)
        self.local_host = local.rpartition(":")[0]
        self.remote_host = remote.rpartition(":")[0]
        self._remote = remote
        self._local = local
        self._binding = binding
        self._inbox: deque[bytes] = deque()
        self._changed = asyncio.Event()
        self._drained = asyncio.Event()
        self._unread_bytes = 0
        self._limit = SMALL_FRAME_BYTES
        self._last_arrival = 0.0
        self._bytes_in = 0
        self._bytes_out = 0
        self.closed = False
        self.other: MemoryStream = self
        network.streams.add(self)

    @property
    def binding(self) -> bytes:
        return self._binding

    @property
    def remote(self) -> str:
        return self._remote

    @property
    def local(self) -> str:
        return self._local

    def send(self, frame: bytes) -> None:
        if self.closed:
            return
        self._bytes_out += len(frame)
        if (self.local_host, self.remote_host) in self.network.cut:
            return
        if self.other._unread_bytes > BUFFER_BYTES:
            self.end()
            return
        self.other._unread_bytes += len(frame)
        self._pass_on(frame)

    def _pass_on(self, frame: bytes) -> None:
        loop = asyncio.get_running_loop()
        # Faults begin after the proofs: a handshake that loses a frame only fails and is repeated.
        arrivals = self.network.arrivals() if self._limit == LARGE_FRAME_BYTES else [0.0]
        if not arrivals:
            self.other._unread_bytes -= len(frame)
        for copy, delay in enumerate(arrivals):
            if copy:
                self.other._unread_bytes += len(frame)
            when = loop.time() + delay
            if not self.network.faults.reorder:
                when = self._last_arrival = max(when, self._last_arrival)
            if when <= loop.time() and not self.network.faults.reorder:
                self.other._arrive(frame)
            else:
                loop.call_at(when, self.other._arrive, frame)

    def _arrive(self, frame: bytes) -> None:
        if self.closed:
            return
        self._inbox.append(frame)
        self._changed.set()

    async def drain(self) -> None:
        while not self.closed and self.other._unread_bytes > LOW_MARK_BYTES:
            self.other._drained.clear()
            await self.other._drained.wait()
        if self.closed:
            raise EnvironmentFault("link_closed", "The link was closed.")

    async def receive(self) -> bytes:
        while not self._inbox:
            if self.closed:
                raise EnvironmentFault("link_closed", "The link was closed.")
            self._changed.clear()
            await self._changed.wait()
        frame = self._inbox.popleft()
        self._unread_bytes -= len(frame)
        self._bytes_in += len(frame)
        if self._unread_bytes <= LOW_MARK_BYTES:
            self._drained.set()
        if len(frame) > self._limit:
            raise PeerError("frame_too_large", "A frame is larger than is allowed here.")
        return frame

    def open_up(self, *, stranger: bool = False) -> None:
        if not stranger:
            self._limit = LARGE_FRAME_BYTES

    def traffic(self) -> tuple[int, int]:
        return self._bytes_in, self._bytes_out

    async def aclose(self) -> None:
        self.end()

    def end(self) -> None:
        """Close this end now; the other end learns it unless the hosts are cut off."""
        if self.closed:
            return
        self._stop()
        if (self.local_host, self.remote_host) in self.network.cut or self.other.closed:
            return
        loop = asyncio.get_running_loop()
        if self._last_arrival > loop.time():
            loop.call_at(self._last_arrival, self.other._stop)
        else:
            self.other._stop()

    def _stop(self) -> None:
        self.closed = True
        self.network.streams.discard(self)
        self._changed.set()
        self._drained.set()
        self.other._drained.set()


class MemoryTransport:
    """`folkmoot.services.ports.Transport` on a `MemoryNetwork`."""

    def __init__(self, network: MemoryNetwork, host: str) -> None:
        self.network = network
        self.host = host
        self._accept: Callable[[MemoryStream], Awaitable[None]] | None = None
        self._bound: list[str] = []
        # Kept in order, not by address in memory: a simulation ends them alike in each run.
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._streams: dict[MemoryStream, None] = {}

    async def listen(
        self,
        addresses: Sequence[str],
        accept: Callable[[MemoryStream], Awaitable[None]],
    ) -> list[str]:
        self._accept = accept
        for address in addresses:
            port = address.rpartition(":")[2]
            number = int(port) or next(self.network.ports)
            if self._bound and port == "0":
                continue  # one address per host is enough here
            bound = f"{self.host}:{number}"
            if bound in self.network.listeners:
                raise EnvironmentFault("port_taken", f"Port {number} is taken.")
            self.network.listeners[bound] = self
            self._bound.append(bound)
        return list(self._bound)

    async def dial(self, address: str, timeout_s: float) -> MemoryStream:
        host = address.rpartition(":")[0]
        if (self.host, host) in self.network.cut or (host, self.host) in self.network.cut:
            await asyncio.sleep(timeout_s)
            raise EnvironmentFault("unreachable", f"{address} does not answer.")
        await asyncio.sleep(self.network.random.uniform(*self.network.faults.delay_s))
        listener = self.network.listeners.get(address)
        if listener is None or listener._accept is None:
            raise EnvironmentFault("unreachable", f"Nobody listens on {address}.")
        binding = hashlib.sha256(address.encode()).digest()
        mine = f"{self.host}:{next(self.network.ports)}"
        ours = MemoryStream(self.network, mine, address, binding)
        theirs = MemoryStream(self.network, address, mine, binding)
        ours.other, theirs.other = theirs, ours
        self._streams[ours] = None
        listener._take(theirs)
        return ours

    def _take(self, stream: MemoryStream) -> None:
        assert self._accept is not None
        self._streams[stream] = None
        task = asyncio.get_running_loop().create_task(self._serve(stream))
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)

    async def _serve(self, stream: MemoryStream) -> None:
        assert self._accept is not None
        try:
            await self._accept(stream)
        finally:
            stream.end()

    async def addresses(self) -> list[str]:
        return list(self._bound)[:8]

    async def aclose(self) -> None:
        for address in self._bound:
            self.network.listeners.pop(address, None)
        self._bound.clear()
        for task in tuple(self._tasks):
            task.cancel()
        for stream in tuple(self._streams):
            stream.end()
        self._streams.clear()
