"""The routes about sharing a screen and recording a call, and the recordings of this person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from folkmoot.api.answers import answer, body_of, nothing
from folkmoot.api.call_routes import RoomShape, call_named, room_shape
from folkmoot.api.routes import Route, named
from folkmoot.api.shapes import AuthorName, Body, Listing, Shape, stamp
from folkmoot.domain.errors import UserError
from folkmoot.services.call_values import RecordChoice, Recording, ShareChoice

if TYPE_CHECKING:
    from folkmoot.services.node import Node


class SourceShape(Shape, frozen=True):
    """A screen or a window that can be shared."""

    id: str
    kind: str
    name: str
    application: str
    width: int
    height: int


class SourcesShape(Shape, frozen=True):
    """What can be shared. `platform`: only through the desktop's own picker."""

    items: list[SourceShape]
    platform: bool
    regions: bool
    sound: bool


class ChapterShape(Shape, frozen=True):
    """Something that happened in a recording."""

    at_s: float
    kind: str
    text: str


class RecordingShape(Shape, frozen=True):
    """A recording of this person. `state`: ``recording``, ``done``, ``broken off`` or ``missing``.

    `gone`, in events alone: it is in the list no more.
    """

    id: str
    call: str
    session: str
    path: str
    started_at: str
    duration_s: float
    size_bytes: int
    participants: list[AuthorName]
    chapters: list[ChapterShape]
    state: str
    gone: bool = False


class ShareBody(Body, frozen=True):
    """Share something (`kind`), pause it or go on (`paused`), or end it (`stop`).

    `kind`: ``screen``, ``window`` (both with `source_id`), ``region`` (left, top, width, height),
    ``platform``, ``test``, ``file``. `fps` 0: by what moves.
    """

    kind: str = ""
    source_id: str = ""
    region: tuple[int, int, int, int] = (0, 0, 0, 0)
    sound: bool = False
    fps: int = 0
    paused: bool | None = None
    stop: bool = False


class RecordBody(Body, frozen=True):
    """Begin to record, pause or go on (`paused`), or end it (`stop`).

    `container`: ``mkv`` or ``mp4``; `tracks`: one for each person, in ``mkv`` only.
    """

    container: str = "mkv"
    tracks: bool = False
    height: int = 720
    paused: bool | None = None
    stop: bool = False


def recording(held: Recording, gone: bool = False) -> RecordingShape:
    """Shape of a recording."""
    people = zip(held.participants, held.names, strict=False)
    return RecordingShape(
        id=held.id,
        call=held.call.hex(),
        session=held.conversation.hex(),
        path=held.path,
        started_at=stamp(held.started_at_ms),
        duration_s=round(held.duration_s, 3),
        size_bytes=held.size_bytes,
        participants=[AuthorName(person.hex(), name) for person, name in people],
        chapters=[ChapterShape(one.at_s, one.kind, one.text) for one in held.chapters],
        state=held.state,
        gone=gone,
    )


async def sources(node: Node, request: web.Request) -> web.Response:
    found = await node.calls.sources()
    rows = [
        SourceShape(one.id, one.kind, one.name, one.application, one.width, one.height)
        for one in found.rows
    ]
    return answer(SourcesShape(rows, found.platform, found.regions, found.sound))


async def share(node: Node, request: web.Request) -> web.Response:
    body, call = await body_of(request, ShareBody), call_named(request)
    if body.stop:
        await node.calls.stop_share(call)
        return answer(room_shape(node, call))
    if not body.kind and body.paused is None:
        raise UserError("bad_body", "Say what to share (“kind”), or “paused”, or “stop”.")
    if body.kind:
        choice = ShareChoice(body.kind, body.source_id, body.region, body.sound, body.fps)
        await node.calls.share(call, choice)
    if body.paused is not None:
        await node.calls.pause_share(call, body.paused)
    return answer(room_shape(node, call))


async def record(node: Node, request: web.Request) -> web.Response:
    body, call = await body_of(request, RecordBody), call_named(request)
    if body.stop:
        await node.calls.stop_recording(call)
    elif body.paused is not None:
        await node.calls.pause_recording(call, body.paused)
    else:
        await node.calls.record(call, RecordChoice(body.container, body.tracks, body.height))
    return answer(room_shape(node, call))


async def recordings(node: Node, request: web.Request) -> web.Response:
    return answer(Listing([recording(one) for one in await node.recordings.list()]))


async def delete(node: Node, request: web.Request) -> web.Response:
    await node.recordings.delete(named(request))
    return nothing()


_ROOM = "/webrtc/rooms/{id}"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/webrtc/sources", "calls", "What can be shared", sources, 200, SourcesShape),
    Route(
        "POST",
        _ROOM + "/share",
        "calls",
        "Share a screen, pause or end that",
        share,
        200,
        RoomShape,
        ShareBody,
    ),
    Route(
        "POST",
        _ROOM + "/record",
        "calls",
        "Record the call, pause or end that",
        record,
        200,
        RoomShape,
        RecordBody,
    ),
    Route(
        "GET",
        "/recordings",
        "read",
        "Recordings of this person, the newest first",
        recordings,
        200,
        Listing[RecordingShape],
    ),
    Route("DELETE", "/recordings/{id}", "calls", "Delete a recording and its file", delete, 204),
)
"""Paths are under `routes.PREFIX`."""
