"""The routes about other computers: links, who is on this network, joining and letting in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from folkmoot.api import shapes
from folkmoot.api.answers import answer, body_of, conversation_id, nothing, person_id
from folkmoot.api.routes import Route, named
from folkmoot.api.shapes import Listing

if TYPE_CHECKING:
    from folkmoot.services.node import Node


async def peers(node: Node, request: web.Request) -> web.Response:
    return answer(Listing([shapes.peer(one) for one in node.peers.list()]))


async def dial(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, shapes.DialBody)
    return answer(shapes.peer(await node.peers.dial(body.address)), 201)


async def join(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, shapes.JoinBody)
    outcome = await node.joining.join(body.invite)
    return answer(shapes.JoinShape(outcome.team.hex(), outcome.name, outcome.state), 201)


async def nearby(node: Node, request: web.Request) -> web.Response:
    node.nearby.look()
    return answer(Listing([shapes.nearby(one) for one in node.nearby.teams()]))


async def ask(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, shapes.AskBody)
    await node.joining.ask(conversation_id(named(request)), body.note)
    return nothing()


async def requests(node: Node, request: web.Request) -> web.Response:
    return answer(Listing([shapes.request(one) for one in node.joining.requests()]))


async def answer_request(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, shapes.AnswerBody)
    team, person = conversation_id(named(request)), person_id(named(request, "person"))
    if body.action == "admit":
        await node.joining.admit(team, person)
    else:
        await node.joining.decline(team, person, block=body.action == "block")
    return nothing()


ROUTES: tuple[Route, ...] = (
    Route(
        "GET", "/peers", "read", "Devices and their links", peers, 200, Listing[shapes.PeerShape]
    ),
    Route(
        "POST", "/peers", "write", "Dial host:port", dial, 201, shapes.PeerShape, shapes.DialBody
    ),
    Route(
        "POST",
        "/teams/join",
        "write",
        "Join with an invitation",
        join,
        201,
        shapes.JoinShape,
        shapes.JoinBody,
    ),
    Route(
        "GET",
        "/teams/nearby",
        "read",
        "Teams seen on this network (asking keeps looking)",
        nearby,
        200,
        Listing[shapes.NearbyShape],
    ),
    Route("POST", "/teams/{id}/ask", "write", "Ask to be let in", ask, 204, None, shapes.AskBody),
    Route(
        "GET",
        "/teams/requests",
        "read",
        "Who asks to be let in",
        requests,
        200,
        Listing[shapes.RequestShape],
    ),
    Route(
        "POST",
        "/teams/{id}/requests/{person}",
        "admin",
        "Admit, decline or block",
        answer_request,
        204,
        None,
        shapes.AnswerBody,
    ),
)
"""Paths are under `routes.PREFIX`."""
