"""The transport of the node: listens for and dials TLS streams.

Refuses strangers in excess before any TLS work is done for them (`admission`), and to prove
anything: that is done inside the stream.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence

from folkmoot.domain.address import Address, parse_address
from folkmoot.domain.errors import EnvironmentFault, FolkmootError, PeerError, UserError
from folkmoot.net.admission import Admission, Slot
from folkmoot.net.certificate import (
    ListenerIdentity,
    make_dialler_context,
    make_listener_identity,
)
from folkmoot.net.interfaces import local_hosts
from folkmoot.net.limits import LinkLimits
from folkmoot.net.stream import TlsStream
from folkmoot.services.attempts import Unreachable
from folkmoot.services.pace import Bucket
from folkmoot.services.ports import Stream
from folkmoot.services.quiet_log import QuietLog
from folkmoot.services.supervisor import Supervisor

log = logging.getLogger(__name__)

Accept = Callable[[Stream], Awaitable[None]]
Place = tuple[int, tuple[str, int] | tuple[str, int, int, int]]
"""Address family and socket address."""

_BACKLOG = 128
_SAME_PORT_ATTEMPTS = 16
_OUT_OF_FILES_WAIT_S = 1.0
MAX_OWN_ADDRESSES = 8
_NO_WAY = ("no_route", "there is no way to it")
_SILENT = ("no_answer", "it does not answer")
_WORDS = {
    errno.ECONNREFUSED: ("refused", "no program listens there"),
    errno.EHOSTUNREACH: _NO_WAY,
    errno.ENETUNREACH: ("no_route", "this computer has no network that leads there"),
    errno.ECONNRESET: ("broke", "it broke the connection"),
    errno.ETIMEDOUT: _SILENT,
}
"""What answered, as `services.attempts` has it, and the same in words."""


class TlsTransport:
    """A `services.ports.Transport` over TCP and TLS 1.3. Make it on the loop that it shall use."""

    def __init__(self, limits: LinkLimits | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._limits = limits or LinkLimits()
        now = self._loop.time()
        self._admission = Admission(self._limits, now)
        self._accepts = Bucket(self._limits.accepts_per_s, self._limits.accepts_burst, now)
        self._strangers_log = QuietLog(log, self._loop.time)
        self._dialler_context = make_dialler_context()
        self._identity: asyncio.Task[ListenerIdentity] | None = None
        self._listeners: list[socket.socket] = []
        self._streams: set[TlsStream] = set()
        self._supervisor = Supervisor(self._tell_bug)

    @property
    def unproved(self) -> int:
        """Accepted connections that have not proved themselves."""
        return self._admission.unproved

    @property
    def streams(self) -> int:
        """Connections that are not gone, dialled ones included."""
        return len(self._streams)

    async def listen(self, addresses: Sequence[str], accept: Accept) -> list[str]:
        """Listen on each ``host:port``; answers with what was bound.

        Where several ask for port 0 they get the same port if one is free for all. A family that
        this computer lacks is left out as long as one address remains. `accept` runs per stream in
        a task of the transport; a stream that it leaves without `open_up` is closed.

        Raises UserError ``bad_address`` and `EnvironmentFault` ``port_taken``, ``port_forbidden``,
        ``no_network``; then nothing was bound by this call.
        """
        identity = await self.identity()
        wanted = [place for text in addresses for place in await self._places(text)]
        sockets = _bind_all(wanted)
        self._listeners += sockets
        for listener in sockets:
            self._supervisor.start(
                f"accept on {_named(listener)}", self._take(listener, identity, accept)
            )
        return [_named(listener) for listener in sockets]

    async def identity(self) -> ListenerIdentity:
        """Key and certificate of what listens, made once. Raises `EnvironmentFault`."""
        if self._identity is None:
            self._identity = self._supervisor.start(
                "make the TLS certificate", asyncio.to_thread(make_listener_identity)
            )
        try:
            return await asyncio.shield(self._identity)
        except EnvironmentFault:
            self._identity = None
            raise

    async def dial(self, address: str, timeout_s: float) -> TlsStream:
        """Connect to ``host:port``, names included, trying IPv6 and IPv4.

        Raises UserError ``bad_address`` and `Unreachable`.
        """
        host, port = parse_address(address)
        if port == 0:
            raise UserError("bad_address", f"“{address}” has no port that can be called.")

        def make_stream() -> TlsStream:
            return self._keep(
                TlsStream(
                    self._dialler_context,
                    self._limits,
                    self._strangers_log,
                    on_proved=lambda: None,
                    on_lost=self._streams.discard,
                )
            )

        stream: TlsStream | None = None
        try:
            async with asyncio.timeout(timeout_s):
                _, stream = await self._loop.create_connection(
                    make_stream, host, port, happy_eyeballs_delay=0.25
                )
                await stream.ready()
        except BaseException as fault:
            if stream is not None:
                await self._drop(stream)
            reason = _why_unreachable(fault, connected=stream is not None)
            if reason is None:
                raise
            answer, words = reason
            raise Unreachable(
                answer,
                f"{address} was not reached: {words}.",
                "Check that Folkmoot runs there and that both computers are on one network.",
            ) from fault
        return stream

    async def addresses(self) -> list[str]:
        """Where others may reach what listens here, the most useful first, at most 8.

        A wildcard stands for every address of this computer; loopback only if there is no other.
        """
        found: list[str] = []
        for listener in self._listeners:
            host, port = listener.getsockname()[:2]
            hosts = [host]
            if host in ("0.0.0.0", "::"):
                hosts = await asyncio.to_thread(local_hosts, listener.family == socket.AF_INET6)
            found += [str(Address(host, port)) for host in hosts]
        away = [text for text in found if not text.startswith(("127.", "[::1]"))]
        return list(dict.fromkeys(away or found))[:MAX_OWN_ADDRESSES]

    async def aclose(self) -> None:
        """Stop listening and close every stream."""
        await self._supervisor.aclose(timeout_s=2 * self._limits.close_s)
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        await asyncio.gather(*(stream.aclose() for stream in list(self._streams)))

    # --- listening ---------------------------------------------------------------------------

    async def _places(self, text: str) -> list[Place]:
        """(family, socket address) for each meaning of ``host:port``."""
        host, port = parse_address(text)
        try:
            found = await self._loop.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        except OSError as fault:
            raise EnvironmentFault(
                "no_network",
                f"This computer knows no address “{host}”.",
                "Listen on an address of this computer, or on 0.0.0.0 for all.",
            ) from fault
        places = [
            (int(family), place) for family, _, _, _, place in found if isinstance(place[0], str)
        ]
        return list(dict.fromkeys(places))

    async def _take(
        self, listener: socket.socket, identity: ListenerIdentity, accept: Accept
    ) -> None:
        """Take connections for ever, paced, and refuse those in excess before any work."""
        while True:
            # A bound on what a flood costs: the rest waits in the operating system's queue. Even a
            # wait of zero lets others run: `sock_accept` does not when a connection is waiting.
            await asyncio.sleep(self._accepts.wait(self._loop.time()))
            try:
                connection, address = await self._loop.sock_accept(listener)
            except OSError as fault:
                self._strangers_log.info("A connection could not be taken: %s", fault)
                if fault.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    await asyncio.sleep(_OUT_OF_FILES_WAIT_S)
                continue
            now = self._loop.time()
            self._accepts.take(now)
            slot = self._admission.enter(address[0], now)
            if isinstance(slot, str):
                connection.close()
                self._strangers_log.info("Connection from %s refused: %s", address[0], slot)
                continue
            self._supervisor.start(
                f"stream from {address[0]}", self._serve(connection, slot, identity, accept)
            )

    async def _serve(
        self, connection: socket.socket, slot: Slot, identity: ListenerIdentity, accept: Accept
    ) -> None:
        stream = TlsStream(
            identity.context,
            self._limits,
            self._strangers_log,
            binding=identity.binding,
            on_proved=slot.release,
            on_lost=self._streams.discard,
        )
        try:
            await self._loop.connect_accepted_socket(lambda: self._keep(stream), connection)
            await stream.ready()
            await accept(stream)
            if not stream.proved:
                await self._drop(stream)
        except (FolkmootError, OSError) as error:
            log.debug("Stream from %s ended: %s", stream.remote, error)
            await self._drop(stream)
        except BaseException:
            await self._drop(stream)
            raise
        finally:
            slot.release()

    async def _drop(self, stream: TlsStream) -> None:
        await stream.aclose()
        self._streams.discard(stream)

    def _keep(self, stream: TlsStream) -> TlsStream:
        self._streams.add(stream)
        return stream

    def _tell_bug(self, name: str, error: BaseException) -> None:
        self._loop.call_exception_handler(
            {"message": f"bug in the task “{name}”", "exception": error}
        )


def _bind_all(places: Sequence[Place]) -> list[socket.socket]:
    """One listening socket per place; where port 0 is asked for, one port for all if possible."""
    for last_attempt in [False] * (_SAME_PORT_ATTEMPTS - 1) + [True]:
        bound: list[socket.socket] = []
        missing: OSError | None = None
        shared = 0
        try:
            for place in places:
                port = place[1][1] or shared
                try:
                    bound.append(_bind(place, port))
                except OSError as fault:
                    if fault.errno not in (
                        errno.EAFNOSUPPORT,
                        errno.EPROTONOSUPPORT,
                        errno.EADDRNOTAVAIL,
                    ):
                        raise
                    missing = fault
                    continue
                if not place[1][1] and not last_attempt:
                    shared = bound[-1].getsockname()[1]
            if not bound:
                raise missing or OSError(errno.EADDRNOTAVAIL, "nothing to listen on")
            return bound
        except OSError as fault:
            for listener in bound:
                listener.close()
            if fault.errno == errno.EADDRINUSE and port == shared and not last_attempt:
                continue  # free for one family, taken in the other
            raise _why_not_bound(fault, places[len(bound)], port) from fault
    raise AssertionError("the last attempt returns or raises")


def _bind(place: Place, port: int) -> socket.socket:
    family, address = place
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address[0], port, *address[2:]))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _named(listener: socket.socket) -> str:
    return str(Address(*listener.getsockname()[:2]))


def _why_not_bound(fault: OSError, place: Place, port: int) -> EnvironmentFault:
    host = place[1][0]
    if fault.errno == errno.EADDRINUSE:
        return EnvironmentFault(
            "port_taken",
            f"Port {port} is in use by another program.",
            "Close that program, or choose another port; port 0 takes any that is free.",
        )
    if fault.errno in (errno.EACCES, errno.EPERM):
        return EnvironmentFault(
            "port_forbidden",
            f"This account may not listen on port {port}.",
            "Choose a port above 1023; port 0 takes any that is free.",
        )
    if fault.errno == errno.EADDRNOTAVAIL:
        return EnvironmentFault(
            "no_network",
            f"This computer has no address {host} now, so it cannot listen there.",
            "Connect it to that network, or listen on 0.0.0.0 for all its addresses.",
        )
    return EnvironmentFault(
        "no_network",
        f"This computer cannot listen on {host}: {fault.strerror or fault}.",
        "Connect it to a network, or listen on 127.0.0.1 for this computer alone.",
    )


def _why_unreachable(fault: BaseException, *, connected: bool) -> tuple[str, str] | None:
    """What happened to a dial, as a code and in words; None: it is neither (a bug, a cancellation).

    `connected`: something took the connection.
    """
    if isinstance(fault, PeerError):
        return "not_folkmoot", "something answers there, but it is not Folkmoot"
    if isinstance(fault, EnvironmentFault):
        return "broke", "it closed the connection at once"
    if isinstance(fault, socket.gaierror):
        return "name_unknown", "no computer of that name is known"
    if isinstance(fault, TimeoutError) and connected:
        return "silent", "something takes the connection there, but says nothing"
    if isinstance(fault, TimeoutError):
        return _SILENT
    if isinstance(fault, OSError):
        return _WORDS.get(fault.errno or 0, _NO_WAY)
    return None
