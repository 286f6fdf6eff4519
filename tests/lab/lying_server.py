"""A signaling server that speaks the real protocol and lies as a test wants.

As it is made it behaves: rooms, relay, mailbox. `lie` decides what becomes of each relayed frame,
`greet` stands in for the login, `tell` says anything to anybody, and `Middle` is the server as a
man in the middle of QUIC. Everything that passed is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from aiohttp import WSMsgType

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import DeviceId
from folkmoot.net.certificate import ListenerIdentity
from folkmoot.net.framed import FramedStream
from folkmoot.net.limits import LinkLimits
from folkmoot.net.quic import QuicEndpoint
from folkmoot.protocol import signaling as words
from folkmoot.services.quiet_log import QuietLog
from lab.wicked_server import LIMITS, Visit, WickedServer

MAX_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Passed:
    """A relayed frame: from whom, for whom, what; `after_s` when it is to be handed on."""

    source: DeviceId
    to: DeviceId
    payload: bytes
    after_s: float = 0.0


Lie = Callable[[Passed], Iterable[Passed]]


class LyingServer(WickedServer):
    """`async with LyingServer() as server`."""

    def __init__(self) -> None:
        super().__init__(self._serve)
        self.id = os.urandom(32)
        self.limits = LIMITS
        self.turn = words.Turn()
        self.stun_port = 3478
        self.lie: Lie | None = None
        self.greet: Callable[[Visit], Awaitable[None]] | None = None
        self.loses_mail = False
        self.crowd: list[DeviceId] = []
        """Said to be under each tag that somebody enters."""
        self.seen: list[bytes] = []
        """Every WebSocket message of every node."""
        self.frames: list[Passed] = []
        self.puts: list[tuple[DeviceId, words.Put]] = []
        self.taken: list[tuple[DeviceId, bytes]] = []
        self._visits: dict[DeviceId, tuple[Visit, asyncio.Queue[bytes]]] = {}
        self._under: defaultdict[bytes, dict[DeviceId, None]] = defaultdict(dict)
        self._mails: defaultdict[DeviceId, dict[bytes, bytes]] = defaultdict(dict)

    # --- for tests -----------------------------------------------------------------------------

    @property
    def here(self) -> set[DeviceId]:
        """Who is connected."""
        return set(self._visits)

    def tags(self, *devices: DeviceId) -> list[bytes]:
        """The tags under which all of `devices` are."""
        return [tag for tag, under in self._under.items() if all(one in under for one in devices)]

    def tell(self, device: DeviceId, *messages: words.Control) -> None:
        """Say something to somebody."""
        for message in messages:
            self._send(device, words.write_control(message))

    def hand(self, frame: Passed) -> None:
        """Give somebody a frame, of whomever."""
        if frame.after_s:
            asyncio.get_running_loop().call_later(frame.after_s, self._hand, frame)
        else:
            self._hand(frame)

    def drop(self, *devices: DeviceId) -> None:
        """Cut connections."""
        for device in devices or tuple(self._visits):
            transport = self._visits[device][0].request.transport
            if transport is not None:
                transport.abort()

    def behave(self) -> None:
        """Lie no more."""
        self.lie = self.greet = None
        self.loses_mail = False
        self.crowd = []
        for tag, under in self._under.items():
            for device in under:
                others = tuple(one for one in under if one != device)
                self.tell(device, words.Room(tag, ()), words.Room(tag, others))

    # --- what a good server does ---------------------------------------------------------------

    async def _serve(self, visit: Visit) -> None:
        if self.greet is not None:
            await self.greet(visit)
            return
        login = await visit.let_in(
            limits=self.limits, turn=self.turn, server=self.id, stun_port=self.stun_port
        )
        device = DeviceId(login.device)
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._visits[device] = visit, queue
        writing = asyncio.ensure_future(self._write(visit, queue))
        try:
            for id, sealed in self._mails[device].items():
                self.tell(device, words.Mail(id, sealed))
            async for message in visit.socket:
                assert message.type is WSMsgType.BINARY
                self._take(device, bytes(message.data))
        finally:
            writing.cancel()
            if self._visits.get(device, (None,))[0] is visit:
                del self._visits[device]
                for tag in list(self._under):
                    self._leave(device, tag)

    async def _write(self, visit: Visit, queue: asyncio.Queue[bytes]) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await visit.raw(await queue.get())

    def _take(self, device: DeviceId, data: bytes) -> None:
        if len(self.seen) < MAX_KEPT:
            self.seen.append(data)
        if data[0] == words.RELAY:
            to, _flags, payload = words.read_relay(data)
            frame = Passed(device, to, payload)
            if len(self.frames) < MAX_KEPT:
                self.frames.append(frame)
            for one in [frame] if self.lie is None else list(self.lie(frame)):
                self.hand(one)
            return
        match words.read_control(data, from_server=False):
            case words.Enter(tags):
                for tag in tags:
                    self._enter(device, tag)
            case words.Leave(tags):
                for tag in tags:
                    self._leave(device, tag)
            case words.Put() as put:
                self._put(device, put)
            case words.Taken(ids):
                for id in ids:
                    self.taken.append((device, id))
                    self._mails[device].pop(id, None)
            case words.Renew():
                self.tell(device, words.Challenge(os.urandom(32)))
            case words.Prove():
                self.tell(device, words.Renewed("token", 900, self.turn))

    def _enter(self, device: DeviceId, tag: bytes) -> None:
        under = self._under[tag]
        others = [one for one in under if one != device]
        under[device] = None
        self.tell(device, words.Room(tag, (*self.crowd, *others)))
        for other in others:
            self.tell(other, words.Came(tag, device))

    def _leave(self, device: DeviceId, tag: bytes) -> None:
        if device in self._under[tag]:
            del self._under[tag][device]
            for other in self._under[tag]:
                self.tell(other, words.Went(tag, device))

    def _put(self, device: DeviceId, put: words.Put) -> None:
        self.puts.append((device, put))
        recipient = DeviceId(put.recipient)
        if not self.loses_mail:
            self._mails[recipient][put.id] = put.sealed
            self.tell(recipient, words.Mail(put.id, put.sealed))
        self.tell(device, words.Kept(put.id, put.keep_s))

    def _hand(self, frame: Passed) -> None:
        if frame.to in self._visits:
            self._send(frame.to, words.write_relay(frame.source, frame.payload))
        else:
            self.tell(frame.source, words.Gone(frame.to))

    def _send(self, device: DeviceId, data: bytes) -> None:
        if device in self._visits:
            self._visits[device][1].put_nowait(data)


class ServerPath:
    """A datagram path of the server itself to a device, to which it says that it is another."""

    max_datagram_bytes = 1200
    busy = False

    def __init__(self, server: LyingServer, to: DeviceId, named: DeviceId) -> None:
        self._server, self._to, self._named = server, to, named
        self.received: Callable[[bytes], None] = lambda _datagram: None

    def attach(
        self,
        received: Callable[[bytes], None],
        resumed: Callable[[], None],
        ended: Callable[[FolkmootError], None],
    ) -> None:
        """What comes is given by `Middle`."""
        self.received = received

    def send(self, datagram: bytes) -> None:
        """As a frame of whoever it says it is."""
        self._server.hand(Passed(self._named, self._to, datagram))

    def close(self) -> None:
        """Nothing is held."""


class Middle:
    """The server in the middle of QUIC: an end of its own, with its own certificate, to each side.

    With `passes` every frame of a link is handed on to the device that was meant, over a second
    connection; otherwise `accepted` has the streams that were dialled.
    """

    def __init__(
        self, server: LyingServer, identity: ListenerIdentity, *, passes: bool = True
    ) -> None:
        self.server = server
        self.accepted: asyncio.Queue[FramedStream] = asyncio.Queue()
        self.passed: list[bytes] = []
        self._identity = identity
        self._passes = passes
        self._ends: dict[tuple[DeviceId, DeviceId], tuple[QuicEndpoint, ServerPath]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = QuietLog(logging.getLogger(__name__), lambda: 0.0)
        server.lie = self._lie

    def end(self, to: DeviceId, named: DeviceId) -> QuicEndpoint:
        """Our end to a device, which believes that `named` is there."""
        if (to, named) not in self._ends:
            path = ServerPath(self.server, to, named)
            endpoint = QuicEndpoint(path, LinkLimits(), self._log, remote="nobody", local="nobody")
            endpoint.listen(
                self._identity,
                lambda: lambda: None,
                lambda stream: self._start(self._accept(stream, to, named)),
            )
            self._ends[to, named] = endpoint, path
        return self._ends[to, named][0]

    async def aclose(self) -> None:
        """Go away."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for endpoint, _ in list(self._ends.values()):
            await endpoint.aclose()

    def _lie(self, frame: Passed) -> Iterable[Passed]:
        self.end(frame.source, frame.to)
        self._ends[frame.source, frame.to][1].received(frame.payload)
        return ()

    async def _accept(self, near: FramedStream, who: DeviceId, named: DeviceId) -> None:
        with contextlib.suppress(FolkmootError):
            await near.ready()
            near.open_up()
            if not self._passes:
                self.accepted.put_nowait(near)
                return
            far = await self.end(named, who).dial(20)
            far.open_up()
            await asyncio.gather(self._pump(near, far), self._pump(far, near))

    async def _pump(self, source: FramedStream, sink: FramedStream) -> None:
        try:
            while True:
                frame = await source.receive()
                self.passed.append(frame)
                sink.send(frame)
        except FolkmootError:
            await sink.aclose()

    def _start(self, what: Awaitable[None]) -> None:
        task = asyncio.ensure_future(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
