"""The routes of the local API: each is a thin call of the service that the window calls too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from folkmoot.api import shapes
from folkmoot.api.answers import (
    answer,
    body_of,
    conversation_id,
    entry_id,
    limit_of,
    nothing,
    person_id,
)
from folkmoot.api.shapes import Listing
from folkmoot.domain.errors import UserError
from folkmoot.services.values import PresenceState, Role

if TYPE_CHECKING:
    from folkmoot.services.node import Node

Act = Callable[["Node", web.Request], Awaitable[web.StreamResponse]]
PREFIX = "/api/communication"


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path, what it needs and what it answers.

    `more_scopes`: (part of the query, the scope that is needed too where it is given).
    """

    method: str
    path: str
    scope: str
    summary: str
    act: Act
    status: int
    reply: Any = None
    body: type[shapes.Body] | None = None
    query: tuple[str, ...] = ()
    more_scopes: tuple[tuple[str, str], ...] = ()


def named(request: web.Request, name: str = "id") -> str:
    """A part of the path."""
    return request.match_info[name]


# --- who, with whom ------------------------------------------------------------------------------


async def identity(node: Node, request: web.Request) -> web.Response:
    return answer(shapes.identity(node.identity.me()))


async def presences(node: Node, request: web.Request) -> web.Response:
    return answer(Listing([shapes.presence(one) for one in node.presence.list()]))


async def set_presence(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, shapes.PresenceBody)
    until_ms = None if body.until is None else _time_ms(body.until)
    await node.presence.set(PresenceState(body.state), body.text, until_ms)
    return answer(shapes.presence(node.presence.of(node.identity.me().person)))


async def stats(node: Node, request: web.Request) -> web.Response:
    return answer(shapes.stats(await node.stats()))


def _time_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UserError("bad_time", f"“until” is no RFC 3339 time: “{text[:80]}”.") from error
    if moment.tzinfo is None:
        raise UserError("bad_time", "“until” lacks its zone; end it with “Z” for UTC.")
    return int(moment.timestamp() * 1000)


# --- teams ---------------------------------------------------------------------------------------


async def teams(node: Node, request: web.Request) -> web.Response:
    return answer(Listing([shapes.team(one) for one in node.teams.list()]))


async def create_team(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, shapes.TeamBody)
    return answer(shapes.team(await node.teams.create(body.name, body.visible)), 201)


async def members(node: Node, request: web.Request) -> web.Response:
    found = node.teams.members(conversation_id(named(request)))
    return answer(Listing([shapes.member(one) for one in found]))


async def invites(node: Node, request: web.Request) -> web.Response:
    found = await node.teams.invites(conversation_id(named(request)))
    return answer(Listing([shapes.invite(one) for one in found]))


async def invite(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, shapes.InviteBody)
    made = await node.teams.invite(
        conversation_id(named(request)),
        role=Role(body.role),
        expires_s=body.expires_s,
        uses=body.uses,
    )
    return answer(shapes.invite(made), 201)


# --- conversations -------------------------------------------------------------------------------


async def sessions(node: Node, request: web.Request) -> web.Response:
    found = await node.conversations.list()
    return answer(Listing([shapes.session(one) for one in found]))


async def create_session(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, shapes.SessionBody)
    team = None if body.team is None else conversation_id(body.team)
    if body.kind == "direct":
        persons = [person_id(one) for one in body.participants]
        made = await node.conversations.open_direct(team, persons)
    elif team is None:
        raise UserError("bad_body", "A channel needs its team: the field “team”.")
    else:
        made = await node.conversations.create_channel(team, body.name, body.topic)
    return answer(shapes.session(made), 201)


async def session(node: Node, request: web.Request) -> web.Response:
    return answer(shapes.session(await node.conversations.get(conversation_id(named(request)))))


async def patch_session(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, shapes.SessionPatch)
    conversation = conversation_id(named(request))
    if body.name is not None:
        await node.conversations.rename(conversation, body.name)
    if body.topic is not None:
        await node.conversations.set_topic(conversation, body.topic)
    return answer(shapes.session(await node.conversations.get(conversation)))


async def threads(node: Node, request: web.Request) -> web.Response:
    found = await node.messages.threads(conversation_id(named(request)), limit_of(request))
    return answer(Listing([shapes.thread(one) for one in found]))


async def typing(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, shapes.TypingBody)
    thread = None if body.thread is None else entry_id(body.thread)
    node.presence.typing(conversation_id(named(request)), thread, body.on)
    return nothing()


# --- messages ------------------------------------------------------------------------------------


async def messages(node: Node, request: web.Request) -> web.Response:
    before, after = request.query.get("before"), request.query.get("after")
    thread = request.query.get("thread")
    if before is not None and after is not None:
        raise UserError("bad_cursor", "Give “before” or “after”, not both.")
    page = await node.messages.page(
        conversation_id(named(request)),
        thread=None if thread is None else entry_id(thread),
        before=None if before is None else entry_id(before),
        after=None if after is None else entry_id(after),
        limit=limit_of(request),
    )
    items = [shapes.message(one) for one in reversed(page.messages)]
    more = page.has_newer if after is not None else page.has_older
    cursor = None
    if items and more:
        cursor = items[0 if after is not None else -1].id
    return answer(Listing(items, cursor))


async def post(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, shapes.MessageBody)
    written = await node.messages.post(
        conversation_id(named(request)),
        body.text,
        thread=None if body.thread is None else entry_id(body.thread),
        reply_to=None if body.reply_to is None else entry_id(body.reply_to),
        client_id=body.client_id,
    )
    return answer(shapes.message(written), 201)


async def edit(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, shapes.EditBody)
    return answer(shapes.message(await node.messages.edit(entry_id(named(request)), body.text)))


async def delete(node: Node, request: web.Request) -> web.Response:
    return answer(shapes.message(await node.messages.delete(entry_id(named(request)))))


async def revisions(node: Node, request: web.Request) -> web.Response:
    found = await node.messages.revisions(entry_id(named(request)))
    return answer(
        Listing([shapes.RevisionShape(one.text, shapes.stamp(one.at_ms)) for one in found])
    )


async def react(node: Node, request: web.Request) -> web.Response:
    on = request.method == "PUT"
    emoji = named(request, "emoji")
    return answer(shapes.message(await node.messages.react(entry_id(named(request)), emoji, on)))


async def delivery(node: Node, request: web.Request) -> web.Response:
    return answer(shapes.delivery(await node.messages.delivery(entry_id(named(request)))))


_PAGE = ("before", "after", "limit", "thread")

ROUTES: tuple[Route, ...] = (
    Route("GET", "/identity", "read", "Who this node is", identity, 200, shapes.IdentityShape),
    Route("GET", "/teams", "read", "Our teams", teams, 200, Listing[shapes.TeamShape]),
    Route(
        "POST",
        "/teams",
        "write",
        "Start a team",
        create_team,
        201,
        shapes.TeamShape,
        shapes.TeamBody,
    ),
    Route(
        "GET",
        "/teams/{id}/members",
        "read",
        "Members and their devices",
        members,
        200,
        Listing[shapes.MemberShape],
    ),
    Route(
        "GET",
        "/teams/{id}/invites",
        "admin",
        "Invitations made here",
        invites,
        200,
        Listing[shapes.InviteShape],
    ),
    Route(
        "POST",
        "/teams/{id}/invites",
        "admin",
        "Make an invitation",
        invite,
        201,
        shapes.InviteShape,
        shapes.InviteBody,
    ),
    Route(
        "GET",
        "/chat/sessions",
        "read",
        "Conversations",
        sessions,
        200,
        Listing[shapes.SessionShape],
    ),
    Route(
        "POST",
        "/chat/sessions",
        "write",
        "Create a channel, open a direct conversation",
        create_session,
        201,
        shapes.SessionShape,
        shapes.SessionBody,
    ),
    Route(
        "GET", "/chat/sessions/{id}", "read", "One conversation", session, 200, shapes.SessionShape
    ),
    Route(
        "PATCH",
        "/chat/sessions/{id}",
        "write",
        "Rename, set the topic",
        patch_session,
        200,
        shapes.SessionShape,
        shapes.SessionPatch,
    ),
    Route(
        "GET",
        "/chat/sessions/{id}/messages",
        "read",
        "Messages, newest first",
        messages,
        200,
        Listing[shapes.MessageShape],
        query=_PAGE,
    ),
    Route(
        "POST",
        "/chat/sessions/{id}/messages",
        "write",
        "Write",
        post,
        201,
        shapes.MessageShape,
        shapes.MessageBody,
    ),
    Route(
        "GET",
        "/chat/sessions/{id}/threads",
        "read",
        "Threads, latest reply first",
        threads,
        200,
        Listing[shapes.ThreadShape],
        query=("limit",),
    ),
    Route(
        "POST",
        "/chat/sessions/{id}/typing",
        "write",
        "Say that somebody writes",
        typing,
        204,
        None,
        shapes.TypingBody,
    ),
    Route(
        "PATCH", "/messages/{id}", "write", "Edit", edit, 200, shapes.MessageShape, shapes.EditBody
    ),
    Route("DELETE", "/messages/{id}", "write", "Delete for all", delete, 200, shapes.MessageShape),
    Route(
        "GET",
        "/messages/{id}/revisions",
        "read",
        "Texts it had",
        revisions,
        200,
        Listing[shapes.RevisionShape],
    ),
    Route(
        "PUT", "/messages/{id}/reactions/{emoji}", "write", "React", react, 200, shapes.MessageShape
    ),
    Route(
        "DELETE",
        "/messages/{id}/reactions/{emoji}",
        "write",
        "Take a reaction back",
        react,
        200,
        shapes.MessageShape,
    ),
    Route(
        "GET",
        "/messages/{id}/delivery",
        "read",
        "Which computers hold it",
        delivery,
        200,
        shapes.DeliveryShape,
    ),
    Route(
        "GET", "/presence", "read", "Who is there", presences, 200, Listing[shapes.PresenceShape]
    ),
    Route(
        "PUT",
        "/presence",
        "write",
        "How we want to be seen",
        set_presence,
        200,
        shapes.PresenceShape,
        shapes.PresenceBody,
    ),
    Route("GET", "/stats", "read", "Counts", stats, 200, shapes.StatsShape),
)
"""Routes about this node, its teams and what is written. Paths are under `PREFIX`."""
