"""The server on the network: listening, the WebSocket, one beat a second.

`Parts` is what a server is made of; `operation` puts them together. Refuses to hold any state
itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from aiohttp import WSCloseCode, web

from folkmoot.domain.address import Address
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.protocol.signaling import SIGNALING_PATH
from folkmoot_signaling.bus import Bus, MemoryBus
from folkmoot_signaling.connection import serve as serve_connection
from folkmoot_signaling.counters import Counters
from folkmoot_signaling.door import Door
from folkmoot_signaling.entrance import Entrance
from folkmoot_signaling.hub import Hub
from folkmoot_signaling.limits import address_group
from folkmoot_signaling.mailbox import Mailbox
from folkmoot_signaling.nodes import Nodes
from folkmoot_signaling.ports import NoTokens, NoTurn, Tokens, TurnCredentials
from folkmoot_signaling.settings import Settings

_MAX_BODY_BYTES = 64 * 1024
_SHUTDOWN_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Parts:
    """What a server is made of."""

    settings: Settings = field(default_factory=Settings)
    counters: Counters = field(default_factory=Counters)
    bus: Bus = field(default_factory=MemoryBus)
    tokens: Tokens = field(default_factory=NoTokens)
    turn: TurnCredentials = field(default_factory=NoTurn)
    mailbox: Mailbox | None = None
    tls: ssl.SSLContext | None = None
    routes: Callable[[web.Application], None] | None = None
    """Adds the paths beside that of the WebSocket."""
    hub: Hub = field(init=False)
    door: Door = field(init=False)

    def __post_init__(self) -> None:
        self.hub = Hub(self.settings, self.counters, self.bus, self.tokens, self.turn, self.mailbox)
        self.bus.attach(Nodes(self.hub))
        self.door = Door(self.settings, self.hub.limits, self.counters)


def build_application(parts: Parts) -> web.Application:
    """Return the routes of the server, without a socket."""
    application = web.Application(client_max_size=_MAX_BODY_BYTES)
    if parts.routes is not None:
        parts.routes(application)
    application.router.add_get(SIGNALING_PATH, lambda request: _signal(request, parts))
    return application


@contextlib.asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[list[Address]]:
    """Listen and serve; gives the addresses that were bound."""
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(
        build_application(parts),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=_SHUTDOWN_S,
    )
    await runner.setup()
    server = runner.server
    assert server is not None
    await parts.bus.start()
    beat = loop.create_task(_beat(parts.hub), name="beat")
    entrance = Entrance(server, parts.door, parts.settings, lambda: parts.hub.strangers, parts.tls)
    try:
        for address in parts.settings.listen:
            try:
                await entrance.listen(address)
            except OSError as error:
                raise explain(address, error) from error
        yield entrance.addresses
    finally:
        await entrance.aclose()
        for connection in tuple(parts.hub.connections):
            parts.hub.end(connection, None, WSCloseCode.GOING_AWAY)
        await runner.cleanup()
        beat.cancel()
        await parts.bus.aclose()


async def _beat(hub: Hub) -> None:
    while True:
        await asyncio.sleep(1.0)
        try:
            hub.tick()
            await hub.post.deliver_held()
        except Exception:  # noqa: BLE001 - a bug of ours; without the beat nothing would ever end
            hub.counters.faults += 1
            _log.exception("a beat failed")


async def _signal(request: web.Request, parts: Parts) -> web.StreamResponse:
    """The WebSocket of a node, or a refusal that costs little."""
    origin = request.headers.get("Origin")
    if origin is not None and origin not in parts.settings.origins:
        parts.counters.foreign_origins += 1
        return _refuse(403, "foreign_origin", 0.0)
    now_s = time.monotonic()
    hub = parts.hub
    place = hub.limits.place(address_group(parts.door.client(request)), now_s)
    if place is None or hub.strangers >= parts.settings.bounds.all_strangers:
        parts.counters.refused_connections += 1
        return _refuse(503, "too_many_connections", 5.0)
    wait_s = hub.limits.start_login(place, now_s)
    if wait_s:
        parts.counters.refused_logins += 1
        return _refuse(429, "too_many_logins", wait_s)
    if not parts.door.is_proxy(request.remote or ""):
        return await serve_connection(request, place, hub)
    # The door counted the proxy; count who is behind it.
    if place.connections >= parts.settings.bounds.address_connections:
        parts.counters.refused_connections += 1
        return _refuse(503, "too_many_connections", 5.0)
    place.connections += 1
    try:
        return await serve_connection(request, place, hub)
    finally:
        place.connections -= 1


def _refuse(status: int, code: str, wait_s: float) -> web.Response:
    headers = {"Retry-After": str(int(wait_s) + 1)} if wait_s else {}
    response = web.json_response({"code": code}, status=status, headers=headers)
    response.force_close()
    return response


def explain(address: Address, error: OSError) -> EnvironmentFault:
    """Why nothing can listen there, in words."""
    if error.errno == errno.EADDRINUSE:
        return EnvironmentFault(
            "port_taken",
            f"Another program is already listening on {address}.",
            "Stop it, or choose another port with --listen.",
        )
    if error.errno == errno.EACCES:
        return EnvironmentFault(
            "port_forbidden",
            f"This user may not listen on {address}.",
            "Choose a port above 1023 with --listen.",
        )
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    return EnvironmentFault(
        "address_unusable",
        f"Cannot listen on {address}: {reason}.",
        "Choose an address of this computer with --listen.",
    )
