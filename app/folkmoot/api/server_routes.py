"""The routes of signaling servers: which there are, how they stand, adding and removing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiohttp import web

from folkmoot.api.answers import answer, body_of, nothing
from folkmoot.api.routes import Route
from folkmoot.api.shapes import Body, Listing, Shape
from folkmoot.services import values

if TYPE_CHECKING:
    from folkmoot.services.node import Node


class ServerShape(Shape, frozen=True):
    """A signaling server. `people`: devices of our teams that are there; `mail_s`: for how long it
    keeps sealed envelopes, 0 if not; `typed`: added by a person, not by an invitation."""

    url: str
    phase: str
    words: str
    hint: str
    rtt_ms: float | None
    people: int
    mail_s: int
    turn: bool
    typed: bool


class ServerBody(Body, frozen=True):
    """A signaling server, such as ``wss://talk.example.org``."""

    url: str


def server(known: values.Server) -> ServerShape:
    """Shape of a server."""
    return ServerShape(
        known.url,
        known.phase.value,
        known.words,
        known.hint,
        known.rtt_ms,
        known.people,
        known.mail_s,
        known.turn,
        known.typed,
    )


def servers(known: Sequence[values.Server]) -> Listing[ServerShape]:
    """Shape of all servers."""
    return Listing([server(one) for one in known])


async def list_servers(node: Node, request: web.Request) -> web.Response:
    return answer(servers(node.servers.list()))


async def add_server(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, ServerBody)
    return answer(server(await node.servers.add(body.url)), 201)


async def remove_server(node: Node, request: web.Request) -> web.Response:
    await node.servers.remove(request.query.get("url", ""))
    return nothing()


ROUTES: tuple[Route, ...] = (
    Route(
        *("GET", "/servers", "read", "Signaling servers and how they stand"),
        *(list_servers, 200, Listing[ServerShape]),
    ),
    Route(
        *("POST", "/servers", "admin", "Keep a signaling server and connect"),
        *(add_server, 201, ServerShape, ServerBody),
    ),
    Route(
        *("DELETE", "/servers", "admin", "Forget the signaling server of that url"),
        *(remove_server, 204),
        query=("url",),
    ),
)
