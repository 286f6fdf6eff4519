"""Takes TCP connections, asks the door about each, and only then spends anything on it.

The servers of asyncio and uvloop tell of a connection when TLS is done: until then nobody counts
it. Refuses to end because there are no more file descriptors: it waits until there are.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from collections.abc import Callable

from aiohttp import web

from folkmoot.domain.address import Address
from folkmoot_signaling.door import Door, Guest
from folkmoot_signaling.settings import Settings

_BACKLOG = 1024
_AT_ONCE = 64
"""So many are taken before others have their turn."""
_REST_S = 0.5
_UNSENT_BYTES = 64 * 1024
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_log = logging.getLogger(__name__)


class Entrance:
    """The sockets on which the server listens."""

    def __init__(
        self,
        server: web.Server,
        door: Door,
        settings: Settings,
        strangers: Callable[[], int],
        tls: ssl.SSLContext | None,
    ) -> None:
        """`strangers`: how many are past TLS and have not logged in."""
        self._server = server
        self._door = door
        self._settings = settings
        self._strangers = strangers
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._listening: list[socket.socket] = []
        self._greeting: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def addresses(self) -> list[Address]:
        """What was bound."""
        return [Address(*one.getsockname()[:2]) for one in self._listening]

    async def listen(self, address: Address) -> None:
        """Listen on every address that `address` names. Raises `OSError`."""
        found = await self._loop.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        found = list(dict.fromkeys(found))
        for family, _kind, _protocol, _name, where in found:
            try:
                one = socket.socket(family, socket.SOCK_STREAM)
            except OSError:
                if len(found) == 1:
                    raise
                continue  # a name with an address of IPv6 too, on a computer without
            self._listening.append(one)
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(where)
            one.listen(_BACKLOG)
            self._loop.add_reader(one, self._accept, one)

    async def aclose(self) -> None:
        """Take no more, and let those go who are in a handshake."""
        self._closed = True
        for one in self._listening:
            self._loop.remove_reader(one)
            one.close()
        for task in self._greeting:
            task.cancel()
        await asyncio.gather(*self._greeting, return_exceptions=True)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, peer = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                self._rest(listening, error)
                return
            self._let_in(connection, str(peer[0]))

    def _rest(self, listening: socket.socket, error: OSError) -> None:
        """Those who wait go on waiting: to be told of them at once again would help nobody."""
        _log.error("no connection can be taken: %s", error.strerror)
        self._loop.remove_reader(listening)
        self._loop.call_later(_REST_S, self._go_on, listening)

    def _go_on(self, listening: socket.socket) -> None:
        if not self._closed:
            self._loop.add_reader(listening, self._accept, listening)

    def _let_in(self, connection: socket.socket, host: str) -> None:
        """Let it in, or close it without a word."""
        now_s = self._loop.time()
        place = self._door.enter(host, now_s)
        if place is None:
            connection.close()
            return
        if self._tls is not None and not self._door.shake_hands(
            host, place, now_s, self._strangers()
        ):
            self._door.leave(place)
            connection.close()
            return
        connection.setblocking(False)
        _keep_little_unsent(connection)
        guest = Guest(self._server, self._door, place, self._settings.request_s, self._loop)
        task = self._loop.create_task(self._greet(connection, guest), name="greet")
        self._greeting.add(task)
        task.add_done_callback(self._greeting.discard)

    async def _greet(self, connection: socket.socket, guest: Guest) -> None:
        """Shake hands; from then on `guest` ends by itself."""
        well = False
        try:
            await self._loop.connect_accepted_socket(
                lambda: guest,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=self._settings.login_s if self._tls is not None else None,
            )
            well = True
        except OSError:
            pass  # no TLS that we speak, or not in time
        finally:
            if self._tls is not None:
                self._door.shaken(well=well)
            if not well:
                guest.leave()


def _keep_little_unsent(connection: socket.socket) -> None:
    """Let the system hold little that it has not sent, so that what waits, waits here: it is then
    counted, and a slow receiver is not minutes behind."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, option, _UNSENT_BYTES)
