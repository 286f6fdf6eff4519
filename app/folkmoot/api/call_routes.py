"""The routes about calls: rooms, taking part in them, control, figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from folkmoot.api.answers import answer, body_of, conversation_id, entry_id, nothing, person_id
from folkmoot.api.routes import Route, named
from folkmoot.api.shapes import Body, Listing, Shape, stamp
from folkmoot.domain.errors import UserError
from folkmoot.services.call_values import Call, CallId, Participant, PeerStats

if TYPE_CHECKING:
    from folkmoot.services.node import Node


class RoomParticipantShape(Shape, frozen=True):
    """A device in a call; `device` empty: a person who is rung."""

    person: str
    device: str
    name: str
    state: str
    me: bool
    host: bool
    audio: bool
    video: bool
    screen: bool
    screen_paused: bool
    records: bool
    hand: bool
    speaking: bool
    quality: int


class RoomShape(Shape, frozen=True):
    """A call. `state` is where this person stands with it; `end` says why it is over for them."""

    id: str
    session: str
    state: str
    end: str | None
    video: bool
    locked: bool
    started_by: str
    started_at: str
    participants: list[RoomParticipantShape]


class RoomStatsShape(Shape, frozen=True):
    """The last second of what goes to and comes from one device; rates in bits a second."""

    device: str
    rtt_ms: float | None
    loss_in: float
    loss_out: float
    jitter_ms: float
    audio_in_bps: int
    audio_out_bps: int
    video_in_bps: int
    video_out_bps: int
    fps_in: float
    fps_out: float
    width: int
    height: int
    freezes: int
    frozen_ms: int
    concealed_ms: int
    audio_delay_ms: float
    codec: str
    way: str
    screen_in_bps: int
    screen_out_bps: int
    screen_fps_in: float
    screen_fps_out: float
    screen_width: int
    screen_height: int


class RoomMedia(Body, frozen=True):
    """With what to take part."""

    audio: bool = True
    video: bool = False


class RoomBody(Body, frozen=True):
    """A new call in a conversation. `ring`: its other persons are rung."""

    session: str
    media: RoomMedia = RoomMedia()
    ring: bool = True


class RoomMuteBody(Body, frozen=True):
    """What to switch; what is left out stays."""

    audio: bool | None = None
    video: bool | None = None
    hand: bool | None = None


class RoomDeclineBody(Body, frozen=True):
    """Words to post in the conversation, if any."""

    message: str = ""


class RoomLockBody(Body, frozen=True):
    """Whether newcomers are refused."""

    on: bool = True


class RoomReactBody(Body, frozen=True):
    """One emoji."""

    emoji: str


def room(call: Call, speaking: frozenset[bytes] = frozenset()) -> RoomShape:
    """Shape of a call; `speaking`: the devices that speak now."""
    return RoomShape(
        id=call.id.hex(),
        session=call.conversation.hex(),
        state=call.phase.value,
        end=None if call.end is None else call.end.value,
        video=call.video,
        locked=call.locked,
        started_by=call.started_by.hex(),
        started_at=stamp(call.started_at_ms),
        participants=[_participant(one, one.device in speaking) for one in call.participants],
    )


def _participant(one: Participant, speaking: bool) -> RoomParticipantShape:
    return RoomParticipantShape(
        person=one.person.hex(),
        device=one.device.hex(),
        name=one.name,
        state=one.state.value,
        me=one.is_me,
        host=one.is_host,
        audio=one.microphone,
        video=one.camera,
        screen=one.screen,
        screen_paused=one.screen_paused,
        records=one.records,
        hand=one.hand,
        speaking=speaking,
        quality=one.quality,
    )


def _stats(one: PeerStats) -> RoomStatsShape:
    figures = {name: getattr(one, name) for name in RoomStatsShape.__struct_fields__[1:]}
    return RoomStatsShape(device=one.device.hex(), **figures)


def call_named(request: web.Request) -> CallId:
    """The call in the path."""
    return CallId(entry_id(named(request)))


def room_shape(node: Node, call: CallId) -> RoomShape:
    """Shape of a call as it is now."""
    return room(node.calls.get(call), node.calls.speaking())


async def rooms(node: Node, request: web.Request) -> web.Response:
    return answer(Listing([room(one, node.calls.speaking()) for one in node.calls.list()]))


async def start(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, RoomBody)
    call = await node.calls.start(
        conversation_id(body.session), video=body.media.video, ring=body.ring
    )
    if not body.media.audio:
        await node.calls.set_microphone(call.id, False)
    return answer(room_shape(node, call.id), 201)


async def get(node: Node, request: web.Request) -> web.Response:
    return answer(room_shape(node, call_named(request)))


async def join(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, RoomMedia)
    call = await node.calls.join(call_named(request), video=body.video, microphone=body.audio)
    return answer(room_shape(node, call.id))


async def leave(node: Node, request: web.Request) -> web.Response:
    await node.calls.leave(call_named(request))
    return nothing()


async def decline(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, RoomDeclineBody)
    await node.calls.decline(call_named(request), body.message)
    return nothing()


async def mute(node: Node, request: web.Request) -> web.Response:
    body, call = await body_of(request, RoomMuteBody), call_named(request)
    if body.audio is not None:
        await node.calls.set_microphone(call, body.audio)
    if body.video is not None:
        await node.calls.set_camera(call, body.video)
    if body.hand is not None:
        await node.calls.set_hand(call, body.hand)
    return answer(room_shape(node, call))


async def control(node: Node, request: web.Request) -> web.Response:
    person, action = person_id(named(request, "person")), named(request, "action")
    if action == "mute":
        await node.calls.ask_mute(call_named(request), person)
    elif action == "remove":
        await node.calls.remove(call_named(request), person)
    elif action == "ring":
        await node.calls.ring(call_named(request), [person])
    else:
        raise UserError("not_found", "The acts on a person are “ring”, “mute” and “remove”.")
    return nothing()


async def lock(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, RoomLockBody)
    await node.calls.lock(call_named(request), body.on)
    return answer(room_shape(node, call_named(request)))


async def end(node: Node, request: web.Request) -> web.Response:
    await node.calls.end_for_all(call_named(request))
    return nothing()


async def react(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, RoomReactBody)
    await node.calls.react(call_named(request), body.emoji)
    return nothing()


async def stats(node: Node, request: web.Request) -> web.Response:
    return answer(Listing([_stats(one) for one in node.calls.stats(call_named(request))]))


_ROOM = "/webrtc/rooms/{id}"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/webrtc/rooms", "read", "Calls that are on", rooms, 200, Listing[RoomShape]),
    Route("POST", "/webrtc/rooms", "calls", "Start a call", start, 201, RoomShape, RoomBody),
    Route("GET", _ROOM, "read", "One call", get, 200, RoomShape),
    Route("POST", _ROOM + "/join", "calls", "Answer or join", join, 200, RoomShape, RoomMedia),
    Route("POST", _ROOM + "/leave", "calls", "Leave", leave, 204),
    Route(
        "POST", _ROOM + "/decline", "calls", "Decline a ring", decline, 204, None, RoomDeclineBody
    ),
    Route(
        "POST",
        _ROOM + "/mute",
        "calls",
        "Switch microphone, camera, hand",
        mute,
        200,
        RoomShape,
        RoomMuteBody,
    ),
    Route(
        "POST",
        _ROOM + "/participants/{person}/{action}",
        "calls",
        "Ring a person, mute or remove a participant",
        control,
        204,
    ),
    Route(
        "POST", _ROOM + "/lock", "calls", "Let nobody else in", lock, 200, RoomShape, RoomLockBody
    ),
    Route("POST", _ROOM + "/end", "calls", "End it for all", end, 204),
    Route("POST", _ROOM + "/react", "calls", "Show an emoji", react, 204, None, RoomReactBody),
    Route(
        "GET",
        _ROOM + "/stats",
        "read",
        "Round trip, loss, rates of each device",
        stats,
        200,
        Listing[RoomStatsShape],
    ),
)
"""Paths are under `routes.PREFIX`."""
