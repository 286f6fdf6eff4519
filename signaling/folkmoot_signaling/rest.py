"""The REST paths: the rooms of whoever asks, and figures. The token of a login opens them.

A room is a tag and the devices under it; the server knows no more of it, so neither does an answer.
Who asks sees the rooms it is in, and no sign of any other. Refuses web pages (a request with an
Origin), and more requests than an address has a use for.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from folkmoot import __version__
from folkmoot.domain.errors import FolkmootError, PeerError, UserError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import TAG_BYTES, Room
from folkmoot_signaling.answers import ErrorAnswer, answer, body_of, refuse, refuse_with
from folkmoot_signaling.connection import Connection
from folkmoot_signaling.directory import Session
from folkmoot_signaling.door import Door
from folkmoot_signaling.hub import Hub
from folkmoot_signaling.limits import address_group
from folkmoot_signaling.tokens import Tokens, token_in

_log = logging.getLogger(__name__)
PREFIX = "/api/communication"
ROOMS = PREFIX + "/webrtc/rooms"
_TAG = re.compile(r"[0-9a-f]{32}")
Act = Callable[[web.Request, DeviceId], Awaitable[web.Response]]


class RoomBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What makes a room: its tag, or nothing for a fresh one."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")] | None = None


class ParticipantShape(msgspec.Struct, frozen=True):
    """A device in a room."""

    device: str


class RoomShape(msgspec.Struct, frozen=True):
    """A tag and everybody under it, whoever asks too."""

    id: str
    participants: list[ParticipantShape]


class RoomList(msgspec.Struct, frozen=True):
    """The rooms of whoever asks, at most 64; `next` is always null."""

    items: list[RoomShape]
    next: str | None = None


class StatsShape(msgspec.Struct, frozen=True):
    """`rooms` and `members_online` (other devices in them) are of whoever asks; the rest is of
    this server since its start."""

    rooms: int
    members_online: int
    connections: int
    relayed_frames: int
    relayed_bytes: int
    uptime_s: int


class Rest:
    """The REST paths of one server."""

    def __init__(
        self,
        hub: Hub,
        door: Door,
        tokens: Tokens,
        unix_s: Callable[[], float] = time.time,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hub = hub
        self._door = door
        self._tokens = tokens
        self._unix_s = unix_s
        self._now_s = now_s
        self._started_s = now_s()

    def add_to(self, application: web.Application) -> None:
        """Add the paths."""
        add = application.router.add_route
        for method, path, act in (
            ("GET", ROOMS, self._list),
            ("POST", ROOMS, self._create),
            ("GET", ROOMS + "/{id}", self._detail),
            ("GET", PREFIX + "/stats", self._stats),
        ):
            add(method, path, self._opened_by_token(act))
        description = describe()

        async def openapi(_request: web.Request) -> web.Response:
            return answer(description)

        add("GET", "/openapi.json", openapi)

    def _opened_by_token(self, act: Act) -> Handler:
        async def run(request: web.Request) -> web.StreamResponse:
            if "Origin" in request.headers:
                raise UserError("foreign_origin", "This is not for web pages.")
            self._slow_down(request)
            token = token_in(request.headers.get("Authorization"))
            return await act(request, self._tokens.device_of(token, self._unix_s()))

        return run

    def _slow_down(self, request: web.Request) -> None:
        now_s = self._now_s()
        group = address_group(self._door.client(request))
        place = self._hub.limits.place(group, now_s)
        if place is None or place.requests.look(now_s):
            raise UserError("too_fast", "Too many requests.", "Wait a second.")
        place.requests.take()

    async def _list(self, _request: web.Request, device: DeviceId) -> web.Response:
        session = self._hub.directory.find(device)
        if session is None:
            return answer(RoomList([]))
        return answer(RoomList([self._shape(session, tag) for tag in sorted(session.tags)]))

    async def _detail(self, request: web.Request, device: DeviceId) -> web.Response:
        name = request.match_info["id"]
        tag = bytes.fromhex(name) if _TAG.fullmatch(name) else b""
        session = self._hub.directory.find(device)
        # A room of others and a room that is not there are the same.
        if session is None or tag not in session.tags:
            raise UserError("not_found", "You are in no such room.", "An id has 32 hex digits.")
        return answer(self._shape(session, tag))

    async def _create(self, request: web.Request, device: DeviceId) -> web.Response:
        body = await body_of(request, RoomBody)
        session = self._hub.directory.find(device)
        if session is None or session.connection is None:
            raise UserError(
                "not_connected",
                "This device is not connected here, so nobody could be in the room.",
                "Log in on the WebSocket first.",
            )
        tag = os.urandom(TAG_BYTES) if body.id is None else bytes.fromhex(body.id)
        try:
            others = self._hub.enter(session, tag)
        except PeerError as error:
            self._hub.counters.rooms_refused += 1
            raise UserError(error.code, f"{error.message}.") from error
        self._hub.send(session.connection, Room(tag, tuple(other.device for other in others)))
        return answer(self._shape(session, tag), 201)

    async def _stats(self, _request: web.Request, device: DeviceId) -> web.Response:
        session = self._hub.directory.find(device)
        met: set[DeviceId] = set()
        if session is not None:
            for tag in session.tags:
                met.update(other.device for other in self._hub.rooms.others(session, tag))
        counters = self._hub.counters
        return answer(
            StatsShape(
                rooms=len(session.tags) if session is not None else 0,
                members_online=len(met),
                connections=counters.connections,
                relayed_frames=counters.frames,
                relayed_bytes=counters.bytes,
                uptime_s=int(self._now_s() - self._started_s),
            )
        )

    def _shape(self, session: Session[Connection], tag: bytes) -> RoomShape:
        devices = [other.device.hex() for other in self._hub.rooms.others(session, tag)]
        devices.append(session.device.hex())
        return RoomShape(tag.hex(), [ParticipantShape(device) for device in sorted(devices)])


@web.middleware
async def tell_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give errors their shape on every path but that of the WebSocket."""
    try:
        return await handler(request)
    except FolkmootError as error:
        return refuse_with(error)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        response = refuse(405, "method_not_allowed", f"This path takes {allowed}.")
        response.headers["Allow"] = allowed
        return response
    except web.HTTPNotFound:
        return refuse(404, "not_found", "There is no such path.", "See /openapi.json.")
    except web.HTTPException as error:
        return refuse(error.status, "bad_request", error.reason)
    except Exception:  # noqa: BLE001 - the top hook of a request: our bug, told as such
        _log.exception("a request failed")
        return refuse(500, "internal", "The server failed here; its log has the place.")


def describe() -> dict[str, Any]:
    """The OpenAPI 3.1 description of these paths."""
    kinds: tuple[Any, ...] = (RoomList, RoomShape, RoomBody, StatsShape, ErrorAnswer)
    schemas, components = msgspec.json.schema_components(
        kinds, ref_template="#/components/schemas/{name}"
    )
    of = dict(zip(kinds, schemas, strict=True))

    def operation(summary: str, status: int, reply: Any, **more: Any) -> dict[str, Any]:
        done = {"description": "Done", "content": _json(of[reply])}
        refused = {"description": "Refused", "content": _json(of[ErrorAnswer])}
        return {"summary": summary, "responses": {str(status): done, "default": refused}, **more}

    where = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    body = {"required": True, "content": _json(of[RoomBody])}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Folkmoot signaling server", "version": __version__},
        "security": [{"token": []}],
        "paths": {
            ROOMS: {
                "get": operation("The rooms you are in", 200, RoomList),
                "post": operation("Enter a room", 201, RoomShape, requestBody=body),
            },
            ROOMS + "/{id}": {
                "get": operation("A room you are in", 200, RoomShape, parameters=where)
            },
            PREFIX + "/stats": {"get": operation("Figures", 200, StatsShape)},
        },
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
