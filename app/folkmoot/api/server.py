"""The local HTTP and WebSocket API of a node, on 127.0.0.1 only.

Owns the server socket and the event sockets. Refuses everything `guard` refuses, and any word to a
request that has neither a token nor an open path. Has no logic of its own: routes call services.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from typing import TYPE_CHECKING

import msgspec
from aiohttp import WSMsgType, web
from aiohttp.typedefs import Handler, Middleware

from folkmoot.api import (
    call_routes,
    doctor_routes,
    network_routes,
    routes,
    server_routes,
    shapes,
    sharing_routes,
)
from folkmoot.api.answers import MAX_BODY_BYTES, answer, page, problem, problem_of
from folkmoot.api.events import EventWindow
from folkmoot.api.guard import Guard
from folkmoot.api.openapi import describe, docs_page
from folkmoot.api.routes import PREFIX, Route
from folkmoot.api.tokens import TokenBook
from folkmoot.domain.errors import EnvironmentFault, FolkmootError

if TYPE_CHECKING:
    from folkmoot.services.node import Node
    from folkmoot.services.ports import Clock

ROUTES: tuple[Route, ...] = (
    *(*routes.ROUTES, *network_routes.ROUTES, *server_routes.ROUTES),
    *doctor_routes.ROUTES,
    *(*call_routes.ROUTES, *sharing_routes.ROUTES),
)
_LOG = logging.getLogger(__name__)
HOST = "127.0.0.1"
MAX_EVENT_SOCKETS = 32
_FIRST_FRAME_S = 5.0
_SEND_S = 10.0
_HEARTBEAT_S = 20.0
MAX_CONNECTIONS = 128
FIRST_REQUEST_S = 10.0
"""A connection that has sent no whole request by then is cut; later ones have `_KEPT_S` each."""
_KEPT_S = 15.0


class _First(shapes.Body, frozen=True):
    """The first frame of an events socket that has no Authorization header."""

    token: str
    cursor: str | None = None


class ApiServer:
    """The API of one node. Runs on the node's loop."""

    def __init__(self, node: Node, tokens: TokenBook, clock: Clock, version: str) -> None:
        self._node = node
        self._version = version
        self._guard = Guard(tokens)
        self._window = EventWindow(node.events, clock, secrets.token_hex(4))
        self._description = describe(ROUTES, version)
        self._sockets: set[web.WebSocketResponse] = set()
        self._silent: set[web.RequestHandler] = set()
        self._listener: asyncio.Server | None = None
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> str:
        """Listen on `port` (0: any free one); the base address. Raises ``port_taken``."""
        middlewares = (self._guard.middleware, self._errors())
        application = web.Application(middlewares=middlewares, client_max_size=MAX_BODY_BYTES)
        application.router.add_get("/health", self._health)
        application.router.add_get("/openapi.json", self._openapi)
        application.router.add_get("/docs", self._docs)
        application.router.add_get(PREFIX + "/events", self._events)
        for route in ROUTES:
            application.router.add_route(route.method, PREFIX + route.path, self._handler(route))
        # aiohttp logs what breaks the rules of HTTP with the bytes of it, and a token may be there.
        silent = logging.Logger("folkmoot.api.http", logging.CRITICAL + 1)
        self._runner = web.AppRunner(
            application,
            access_log=None,
            logger=silent,
            keepalive_timeout=_KEPT_S,
            shutdown_timeout=1.0,
        )
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            self._listener = await loop.create_server(self._connection, HOST, port)
        except OSError as error:
            await self.aclose()
            raise EnvironmentFault(
                "port_taken",
                f"Port {port} of this computer is taken, so the API cannot start.",
                "Choose another with --api-port, or 0 for any free one.",
            ) from error
        bound: int = self._listener.sockets[0].getsockname()[1]
        self._guard.serve_on(bound)
        return f"http://{HOST}:{bound}"

    def _connection(self) -> asyncio.Protocol:
        """What speaks with one more connection: nobody, if there are too many."""
        assert self._runner is not None
        assert self._runner.server is not None
        if len(self._runner.server.connections) >= MAX_CONNECTIONS:
            return _HangUp()
        handler = self._runner.server()
        self._silent.add(handler)
        asyncio.get_running_loop().call_later(FIRST_REQUEST_S, self._cut_if_silent, handler)
        return handler

    def _cut_if_silent(self, handler: web.RequestHandler) -> None:
        if handler in self._silent:
            self._silent.discard(handler)
            handler.force_close()

    async def aclose(self) -> None:
        """Close every socket and stop listening."""
        self._window.close()
        if self._listener is not None:
            self._listener.close()
        for socket in tuple(self._sockets):
            with contextlib.suppress(TimeoutError, ConnectionError):
                await asyncio.wait_for(socket.close(code=1001), 1.0)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _handler(self, route: Route) -> Handler:
        async def run(request: web.Request) -> web.StreamResponse:
            await self._guard.require(request, route.scope)
            for name, scope in route.more_scopes:
                if name in request.query:
                    await self._guard.require(request, scope)
            return await route.act(self._node, request)

        return run

    def _errors(self) -> Middleware:
        @web.middleware
        async def translate(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._silent.discard(request.protocol)
            try:
                return await handler(request)
            except FolkmootError as error:
                return problem_of(error)
            except web.HTTPMethodNotAllowed as error:
                allowed = ", ".join(sorted(error.allowed_methods))
                return problem(405, "method_not_allowed", f"This path takes {allowed}.")
            except web.HTTPNotFound:
                return problem(404, "not_found", "There is no such path.", "See /docs.")
            except web.HTTPException as error:
                return problem(error.status, "bad_request", error.reason)
            except Exception:  # noqa: BLE001 - the top hook of a request: our bug, told as such
                _LOG.exception("a request failed: %s", request.match_info.route.resource)
                return problem(500, "internal", "Folkmoot failed here; the log has the reason.")

        return translate

    async def _health(self, request: web.Request) -> web.Response:
        notices = [shapes.Problem(one.code, one.message, one.hint) for one in self._node.notices()]
        broken = any(one.code.startswith(("store", "disk", "read_only")) for one in notices)
        health = shapes.Health("ok", "failed" if broken else "ok", self._version, notices)
        return answer(health)

    async def _openapi(self, request: web.Request) -> web.Response:
        return answer(self._description)

    async def _docs(self, request: web.Request) -> web.Response:
        return page(docs_page(ROUTES, self._version))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        named = "Authorization" in request.headers
        if named:
            await self._guard.require(request, "read")
        if len(self._sockets) >= MAX_EVENT_SOCKETS:
            raise EnvironmentFault(
                "too_many_readers", f"{MAX_EVENT_SOCKETS} readers of events are connected already."
            )
        socket = web.WebSocketResponse(
            max_msg_size=16 * 1024, heartbeat=_HEARTBEAT_S, compress=False, timeout=2.0
        )
        self._sockets.add(socket)
        try:
            await socket.prepare(request)
            cursor = request.query.get("cursor")
            if not named:
                cursor = (await self._first_frame(socket)).cursor
            await self._stream(socket, cursor)
        except FolkmootError as error:
            await _tell(socket, problem_of(error).text or "")
            await socket.close(code=4401, message=error.code.encode())
        except (TimeoutError, ConnectionError):
            _LOG.info("a reader of events did not keep up and was closed")
            await socket.close(code=1013, message=b"too slow")
        finally:
            self._sockets.discard(socket)
        return socket

    async def _first_frame(self, socket: web.WebSocketResponse) -> _First:
        frame = await asyncio.wait_for(socket.receive(), _FIRST_FRAME_S)
        if frame.type is not WSMsgType.TEXT:
            raise ConnectionError
        try:
            first = msgspec.json.decode(frame.data, type=_First)
        except msgspec.DecodeError as error:
            raise EnvironmentFault("bad_body", f"The first frame is wrong: {error}.") from error
        await self._guard.require_token(first.token, "read")
        return first

    async def _stream(self, socket: web.WebSocketResponse, cursor: str | None) -> None:
        """Send events until either side ends; what the reader sends is read and thrown away."""
        position = self._window.position(cursor)
        reader = asyncio.ensure_future(_until_closed(socket))
        try:
            while position is not None and not socket.closed:
                waiting = asyncio.ensure_future(self._window.after(position))
                await asyncio.wait({waiting, reader}, return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done():
                    waiting.cancel()
                    return
                batch = waiting.result()
                if batch is None:
                    break
                for text in batch:
                    await _tell(socket, text)
                position += len(batch)
            await _tell(socket, self._window.gap())
            await socket.close(code=1013, message=b"gap")
        finally:
            reader.cancel()


class _HangUp(asyncio.Protocol):
    """Takes a connection and closes it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


async def _tell(socket: web.WebSocketResponse, text: str) -> None:
    if not socket.closed:
        await asyncio.wait_for(socket.send_str(text), _SEND_S)


async def _until_closed(socket: web.WebSocketResponse) -> None:
    async for _ in socket:
        pass
