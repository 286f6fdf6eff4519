"""Who may connect at all: TCP connections counted per address, requests that must come in time.

A connection is counted from the moment it is accepted, before any TLS: who says nothing, or shakes
hands again and again, is refused before that costs anything. Behind a proxy that is believed
(`Settings.proxies`) the address is the one that it names.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Collection

from aiohttp import web

from folkmoot.domain.errors import UserError
from folkmoot_signaling.counters import Counters
from folkmoot_signaling.limits import Limits, Place, address_group
from folkmoot_signaling.settings import Settings

_UNHEARD_BYTES = 1024 * 1024
"""More than aiohttp holds of a WebSocket whose messages wait to be handled."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Door:
    """Counts who is connected."""

    def __init__(self, settings: Settings, limits: Limits, counters: Counters) -> None:
        self._bounds = settings.bounds
        self._proxies = _networks(settings.proxies)
        self._limits = limits
        self._counters = counters
        self._inside = 0
        self.handshakes = 0
        """TLS handshakes under way."""

    def enter(self, host: str, now_s: float) -> Place | None:
        """A TCP connection from `host`. None: refuse it. Give what comes back to `leave`."""
        place = self._limits.place(address_group(host), now_s)
        if place is None or self._inside >= self._bounds.all_connections:
            self._counters.refused_connections += 1
            return None
        if place.connections >= self._bounds.address_connections and not self.is_proxy(host):
            self._counters.refused_connections += 1
            return None
        place.connections += 1
        self._inside += 1
        return place

    def shake_hands(self, host: str, place: Place, now_s: float, strangers: int) -> bool:
        """Whether who has entered may begin a TLS handshake; `strangers`: of those who are past it,
        how many have not logged in. If so, `shaken` tells of its end."""
        if self.handshakes + strangers >= self._bounds.all_strangers:
            self._counters.refused_handshakes += 1
            return False
        own = None if self.is_proxy(host) else place
        if self._limits.start_handshake(own, now_s):
            self._counters.refused_handshakes += 1
            return False
        self.handshakes += 1
        return True

    def shaken(self, *, well: bool) -> None:
        """A handshake has ended."""
        self.handshakes -= 1
        if not well:
            self._counters.failed_handshakes += 1

    def leave(self, place: Place) -> None:
        """A connection that entered is closed."""
        place.connections -= 1
        self._inside -= 1

    def bad_request(self) -> None:
        """Something came that is not HTTP as we take it."""
        self._counters.bad_requests += 1

    def bad_message(self) -> None:
        """Much came on a WebSocket, and no message."""
        self._counters.bad_messages += 1

    def is_proxy(self, host: str) -> bool:
        """Whether what `host` says of others is believed."""
        if not self._proxies:
            return False
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        return any(address in network for network in self._proxies)

    def client(self, request: web.BaseRequest) -> str:
        """The address of the node that made a request."""
        host = request.remote or ""
        if not self.is_proxy(host):
            return host
        # The last one that is no proxy of ours: what stands before it anybody can write.
        for text in reversed(",".join(request.headers.getall("X-Forwarded-For", [])).split(",")):
            named = _address_in(text)
            if named is None:
                return host  # a proxy that does not say counts for everybody behind it
            if not self.is_proxy(named):
                return named
        return host


class Guest(web.RequestHandler):
    """A TCP connection that is counted, and whose requests must be whole in time."""

    __slots__ = ("_door", "_place", "on_lost", "unheard_bytes")

    def __init__(
        self,
        server: web.Server,
        door: Door,
        place: Place,
        request_s: float,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`place`: what `Door.enter` gave; it is given back when the connection is lost."""
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=request_s,
            access_log=None,  # type: ignore[arg-type]
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            max_headers=MAX_HEADERS,
            lingering_time=request_s,
        )
        self._door = door
        self._place: Place | None = place
        self.on_lost: Callable[[], None] | None = None
        """Called before the transport is closed: after that uvloop raises at every use of it."""
        self.unheard_bytes = -1
        """What came on a WebSocket since its last message; -1: it is none."""

    def forget_request(self) -> None:
        """It is a WebSocket from now on: what read its request is of no use any more."""
        self.unheard_bytes = 0
        self._parser = None

    def data_received(self, data: bytes) -> None:
        """Something came. Fragments of nothing would never become a message, nor be counted."""
        if self.unheard_bytes >= 0:
            self.unheard_bytes += len(data)
            if self.unheard_bytes > _UNHEARD_BYTES:
                self._door.bad_message()
                self.unheard_bytes = -1
                if self.transport is not None:
                    self.transport.abort()
                return
        super().data_received(data)

    def leave(self) -> None:
        """Let go of the place; again is harmless."""
        if self._place is not None:
            self._door.leave(self._place)
            self._place = None

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is closed."""
        self.leave()
        if self.on_lost is not None:
            self.on_lost()
            self.on_lost = None
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no request in two words; only faults of ours are for the log."""
        if status != 400:
            return super().handle_error(request, status, exc, message)
        self._door.bad_request()
        response = web.Response(status=400, text="Bad request")
        response.force_close()
        return response


MAX_HEADER_BYTES = 8 * 1024
MAX_HEADERS = 64


def _address_in(text: str) -> str | None:
    """The address that a proxy wrote, some with a port: as itself it would be another each time."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _networks(texts: Collection[str]) -> list[Network]:
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError as error:
            raise UserError("bad_proxy", f"“{text[:60]}” is not a network of proxies.") from error
    return found
