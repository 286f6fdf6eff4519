"""One attempt at a way through NAT with aioice, and the way itself.

Owns the sockets of an attempt, from `gather` until the stream over the way that was found ends.
Consent checks (RFC 7675) every five seconds keep the translation open and end a way that is dead.
Refuses packets from places that are none of the peer's. Loading aioice takes a moment: import this
off the loop, as `ice` does.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import aioice
from aioice import Candidate
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import CandidatePair, StunProtocol
from aioice.stun import Class, Message, Method, TransactionError

from folkmoot.domain.address import Address, parse_address
from folkmoot.domain.errors import EnvironmentFault, FolkmootError, UserError
from folkmoot.domain.ids import DeviceId
from folkmoot.domain.servers import NAT_PREFIX
from folkmoot.net.candidates import read_description, write_candidates
from folkmoot.net.ice import Over
from folkmoot.net.interfaces import local_hosts
from folkmoot.services.ports import Stream
from folkmoot.services.signaling_port import IceDescription
from folkmoot.services.supervisor import Supervisor

MAX_SOCKETS = 8
MAX_SERVERS = 4
MAX_PAIRS = 100
"""Of our sockets and their candidates (RFC 8445, 6.1.2.5)."""
MAX_EARLY = 32
"""Packets kept that come before the stream is there: the other side may be ready first."""
TRIM_S = 15.0
"""So long after a way was found its other sockets are closed: by then both sides have settled."""
STUN_S = 2.0
STUN_LATE_S = 0.3
"""After the first answer of a server the other ones are waited for no longer than this."""

_log = logging.getLogger(__name__)
logging.getLogger("aioice").setLevel(logging.WARNING)
"""It writes a line with addresses for every check."""


async def gather(
    over: Over,
    stun: Sequence[str],
    supervisor: Supervisor,
    *,
    began: bool,
    opened: Callable[[IceWay], None],
) -> IceWay:
    """As `Ice.gather`; `opened` is told of the attempt before it has any socket."""
    way = IceWay(Connection(began, supervisor), over, began)
    opened(way)
    try:
        await way.connection.gather(await _own_hosts(), await _resolve(stun))
    except BaseException:
        await way.connection.close()
        raise
    return way


class IceWay:
    """`services.signaling_port.IceAttempt`."""

    def __init__(self, connection: Connection, over: Over, began: bool) -> None:
        self.connection = connection
        self._over = over
        self._began = began
        self._handed_over = False

    @property
    def description(self) -> IceDescription:
        """Ours."""
        connection = self.connection
        candidates = write_candidates(connection.found)
        return IceDescription(connection.local_username, connection.local_password, candidates)

    async def connect(self, other: IceDescription, device: DeviceId, timeout_s: float) -> Stream:
        """See the port. After an error everything is closed."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_s
        connection = self.connection
        try:
            candidates = read_description(other)
            async with asyncio.timeout(timeout_s):
                await connection.find(other, candidates)
            path = IcePath(connection)
            remote = f"{NAT_PREFIX}{path.remote}/{device.hex()}"
            left_s = max(0.1, end - loop.time())
            stream = await self._over(path, remote, not self._began, left_s, path.local)
        except (TimeoutError, ConnectionError) as error:
            await connection.close()
            raise _no_way("The two networks let nothing through between them.") from error
        except EnvironmentFault as fault:
            await connection.close()
            raise _no_way(f"A way was found but did not carry: {fault.message}") from fault
        except BaseException:
            await connection.close()
            raise
        self._handed_over = True
        connection.trim_later()
        return stream

    async def aclose(self) -> None:
        """Close the sockets, unless a stream has them."""
        if not self._handed_over:
            await self.connection.close()


class IcePath:
    """`net.paths.DatagramPath` over the way that was found. It has its sockets to itself."""

    max_datagram_bytes = 1200
    busy = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.local, self.remote = connection.ends()

    def attach(
        self,
        received: Callable[[bytes], None],
        resumed: Callable[[], None],
        ended: Callable[[FolkmootError], None],
    ) -> None:
        """Datagrams that came already are told at once."""
        self._connection.attach(received, ended)

    def send(self, datagram: bytes) -> None:
        """Send; dropped when the path is closed."""
        self._connection.send_now(datagram)

    def close(self) -> None:
        """Close the sockets."""
        self._connection.close_soon()


class _Socket(StunProtocol):
    """One UDP socket. What is no STUN goes to the stream (RFC 7983 tells them apart)."""

    receiver: Connection

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """Sort out what comes."""
        assert isinstance(data, bytes)
        if data and data[0] > 3:
            if self.receiver.knows((addr[0], addr[1])):
                self.receiver.used.add(self)
                self.receiver.received(data)
            return
        # The library lets these through for messages that are cut short or lack something.
        with suppress(struct.error, KeyError, IndexError, ValueError):
            super().datagram_received(data, addr)


class Connection(aioice.Connection):
    """A connection whose sockets, servers and packets are ours."""

    def __init__(self, began: bool, supervisor: Supervisor) -> None:
        super().__init__(ice_controlling=began, components=1)
        self._supervisor = supervisor
        self.on_closed: Callable[[], None] = lambda: None
        self.found: list[Candidate] = []
        self.used: set[StunProtocol] = set()
        """Sockets over which something came for the stream."""
        self._trimming: asyncio.TimerHandle | None = None
        self._repeated: list[CandidatePair] = []
        self._early: deque[bytes] = deque(maxlen=MAX_EARLY)
        self._take: Callable[[bytes], None] | None = None
        self._ended: Callable[[FolkmootError], None] | None = None
        self._closed_by: asyncio.Future[None] | None = None

    async def gather(self, hosts: Sequence[str], servers: Sequence[tuple[str, int]]) -> None:
        """Open a socket at each host and ask the servers how each looks from outside."""
        for host in hosts[:MAX_SOCKETS]:
            await self._open(host)
        if not self._protocols:
            raise _no_way("This computer has no address at which others could reach it.")
        self._local_candidates_start = self._local_candidates_end = True
        self.found = [each.local_candidate for each in self._protocols]
        asked = [
            self._supervisor.start("ask for an address", _ask(socket, server))
            for socket in self._protocols
            if ":" not in socket.local_candidate.host
            for server in servers
        ]
        hosts_found = {(each.host, each.port) for each in self.found}
        seen = {}
        for candidate in await _first_answers(asked):
            if (candidate.host, candidate.port) not in hosts_found:
                seen[candidate.host, candidate.port] = candidate
        self.found += seen.values()
        self._local_candidates = list(self.found)

    async def _open(self, host: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            transport, socket = await loop.create_datagram_endpoint(
                lambda: _Socket(self), local_addr=(host, 0)
            )
        except OSError as error:
            _log.debug("no socket at %s: %s", host, error)
            return
        port: int = transport.get_extra_info("sockname")[1]
        socket.local_candidate = _candidate(host, port, "host", host)
        self._protocols.append(socket)

    async def find(self, other: IceDescription, candidates: Sequence[Candidate]) -> None:
        """Find a way to the other side; raises ConnectionError if there is none."""
        self.remote_username, self.remote_password = other.ufrag, other.password
        for candidate in candidates[: MAX_PAIRS // len(self._protocols)]:
            await self.add_remote_candidate(candidate)
        await self.add_remote_candidate(None)
        await self.connect()

    def check_incoming(
        self, message: Message, addr: tuple[str, int], protocol: StunProtocol
    ) -> None:
        """A check of the other side came through. If ours on this pair had no answer yet, it came
        to a closed door: repeat it now (RFC 8445, 7.3.1.4), and not when its time is over."""
        for pair in self._check_list:
            waits = pair.state is CandidatePair.State.IN_PROGRESS and pair.task is not None
            if waits and pair.protocol is protocol and pair.remote_addr == addr:
                if pair not in self._repeated:
                    self._repeated.append(pair)
                    assert pair.task is not None
                    pair.task.cancel()
                    pair.task, pair.state = None, CandidatePair.State.WAITING
                break
        super().check_incoming(message, addr, protocol)

    def ends(self) -> tuple[str, str]:
        """``host:port`` of ours and theirs on the way that was found."""
        pair = self._nominated[1]
        return str(Address(*pair.local_addr)), str(Address(*pair.remote_addr))

    def knows(self, place: tuple[str, int]) -> bool:
        """Whether the other side is at this place."""
        return any((c._network_host, c.port) == place for c in self._remote_candidates)

    def attach(self, take: Callable[[bytes], None], ended: Callable[[FolkmootError], None]) -> None:
        """As `IcePath.attach`."""
        self._take, self._ended = take, ended
        while self._early:
            take(self._early.popleft())
        if self._closing:
            self._tell_ended()

    def data_received(self, data: bytes, component: int) -> None:
        """The library's queue has no bound: what it takes for no STUN is dropped."""

    def received(self, data: bytes) -> None:
        """A packet for the stream."""
        if self._take is not None:
            self._take(data)
        else:
            self._early.append(data)

    def send_now(self, packet: bytes) -> None:
        """Send on the way that was found."""
        pair = self._nominated.get(1)
        if pair is not None:
            pair.protocol.transport.sendto(packet, pair.remote_addr)

    def trim_later(self) -> None:
        """Close the sockets that neither side uses, once that is known: there are many links."""
        self._trimming = asyncio.get_running_loop().call_later(TRIM_S, self._trim)

    def _trim(self) -> None:
        pair = self._nominated.get(1)
        kept = self.used if pair is None else {*self.used, pair.protocol}
        for each in [one for one in self._check_list if one.protocol not in kept]:
            if each.task is not None:
                each.task.cancel()
            self._check_list.remove(each)
        for socket in [one for one in self._protocols if one not in kept]:
            self._protocols.remove(socket)
            self._supervisor.start("close a socket", socket.close())

    async def close(self) -> None:
        """Close every socket, once; whoever comes later waits for the first."""
        if self._closed_by is not None:
            await asyncio.shield(self._closed_by)
            return
        self._closed_by = asyncio.get_running_loop().create_future()
        if self._trimming is not None:
            self._trimming.cancel()
        try:
            await super().close()
        finally:
            self._closed_by.set_result(None)
            self._early.clear()
            self.on_closed()
            self._tell_ended()

    def close_soon(self) -> None:
        """Close by itself."""
        if self._closed_by is None:
            self._supervisor.start("close a way", self.close())

    def _tell_ended(self) -> None:
        ended, self._ended = self._ended, None
        self._take = None
        if ended is not None:
            ended(EnvironmentFault("link_closed", "The direct way does not carry any more."))


async def _own_hosts() -> list[str]:
    found = await asyncio.to_thread(lambda: [*local_hosts(False), *local_hosts(True)])
    away = [host for host in found if not host.startswith(("127.", "169.254.")) and host != "::1"]
    return list(dict.fromkeys(away))


async def _resolve(stun: Sequence[str]) -> list[tuple[str, int]]:
    """IPv4 addresses of the servers: a translation is looked for there only."""
    loop = asyncio.get_running_loop()
    found: list[tuple[str, int]] = []
    for text in list(dict.fromkeys(stun))[:MAX_SERVERS]:
        try:
            address = parse_address(text)
            async with asyncio.timeout(STUN_S):
                infos = await loop.getaddrinfo(address.host, address.port)
        except (UserError, OSError, TimeoutError) as error:
            _log.debug("%s cannot be asked: %s", text, error)
            continue
        found += [(str(info[4][0]), address.port) for info in infos if ":" not in str(info[4][0])]
    return list(dict.fromkeys(found))[:MAX_SERVERS]


async def _ask(socket: StunProtocol, server: tuple[str, int]) -> Candidate | None:
    """How a socket looks from a server (RFC 8489); None if it does not say."""
    request = Message(message_method=Method.BINDING, message_class=Class.REQUEST)
    try:
        answer, _ = await socket.request(request, server)
    except TransactionError:
        return None
    seen = answer.attributes.get("XOR-MAPPED-ADDRESS")
    if seen is None:
        return None
    return _candidate(seen[0], seen[1], "srflx", socket.local_candidate.host)


async def _first_answers(asked: list[asyncio.Task[Candidate | None]]) -> list[Candidate]:
    """What came within `STUN_S`, or soon after the first good answer."""
    found: list[Candidate] = []
    loop = asyncio.get_running_loop()
    end, pending = loop.time() + STUN_S, set(asked)
    try:
        while pending and (left := end - loop.time()) > 0:
            done, pending = await asyncio.wait(
                pending, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            found += [seen for each in done if (seen := each.result()) is not None]
            if found:
                end = min(end, loop.time() + STUN_LATE_S)
    finally:
        for each in asked:
            each.cancel()
        if asked:
            await asyncio.wait(asked)
    return found


def _candidate(host: str, port: int, kind: str, base: str) -> Candidate:
    return Candidate(
        foundation=candidate_foundation(kind, "udp", base),
        component=1,
        transport="udp",
        priority=candidate_priority(1, kind),
        host=host,
        port=port,
        type=kind,
    )


def _no_way(words: str) -> EnvironmentFault:
    return EnvironmentFault("no_direct_way", words, "The link goes through the server instead.")
