"""The JSON shapes of the local API, and how values of the services become them.

Identifiers are 64 hexadecimal digits, times RFC 3339 in UTC, lists ``{"items": […], "next": …}``.
The same types validate request bodies (an unknown field is refused by name) and make the schema.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec

from folkmoot.services import values
from folkmoot.services.call_values import CallRecord

T = TypeVar("T")


class Shape(msgspec.Struct, frozen=True):
    """Base of every answer."""


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every request body."""


class Listing(msgspec.Struct, Generic[T], frozen=True):
    """A bounded list; `next` is the cursor that continues it."""

    items: list[T]
    next: str | None = None


class Problem(Shape, frozen=True):
    """What went wrong: a stable code, words for a person, and what to do."""

    code: str
    message: str
    hint: str


class ErrorAnswer(Shape, frozen=True):
    """Every answer that is not a success."""

    error: Problem


class Health(Shape, frozen=True):
    """Whether the node works."""

    status: str
    store: str
    version: str
    notices: list[Problem]


class IdentityShape(Shape, frozen=True):
    """Who this node is."""

    person: str
    device: str
    name: str
    device_name: str
    words: list[str]
    version: str


class PeerShape(Shape, frozen=True):
    """A device that is, or could be, linked."""

    device: str
    person: str
    name: str
    state: str
    way: str
    address: str
    rtt_ms: float | None
    last_seen: str | None


class TeamShape(Shape, frozen=True):
    """A team of ours."""

    id: str
    name: str
    role: str
    members: int
    visible: bool


class MemberShape(Shape, frozen=True):
    """A person in a team."""

    person: str
    name: str
    role: str
    devices: list[str]
    me: bool


class InviteShape(Shape, frozen=True):
    """An invitation. `link` is a secret: whoever has it can join. `code` comes later."""

    id: str
    link: str
    code: str | None
    role: str
    expires_at: str | None
    uses_left: int | None


class JoinShape(Shape, frozen=True):
    """What came of an invitation: ``joined`` or ``pending``."""

    id: str
    name: str
    state: str


class NearbyShape(Shape, frozen=True):
    """A team seen on this network."""

    id: str
    name: str
    computers_online: int
    asked: bool
    words: list[str]


class RequestShape(Shape, frozen=True):
    """A person who waits to be let into a team."""

    team: str
    person: str
    device: str
    name: str
    note: str
    words: list[str]
    asked_at: str


class SessionShape(Shape, frozen=True):
    """A channel or a direct conversation."""

    id: str
    kind: str
    name: str
    topic: str
    team: str | None
    participants: list[str]
    unread: int
    mentions: int
    last_activity: str | None


class AuthorShape(Shape, frozen=True):
    """Who wrote, and on which computer."""

    person: str
    device: str
    name: str


class ReactionShape(Shape, frozen=True):
    """One emoji under a message."""

    emoji: str
    count: int
    people: list[str]


class RecordedShape(Shape, frozen=True):
    """Who recorded a call; `seconds` null: no end was written."""

    person: str
    name: str
    began_at: str
    seconds: int | None


class CallRecordShape(Shape, frozen=True):
    """A call in the log; a message with one has no text. `ended_at` null: no end was written.

    `declined`: this person said no; `declined_by` are the others who did.
    """

    id: str
    session: str
    started_by: str
    started_by_name: str
    video: bool
    started_at: str
    ended_at: str | None
    duration_s: int
    participants: list[AuthorName]
    took_part: bool
    declined: bool
    declined_by: list[AuthorName]
    recorded: list[RecordedShape]


class MessageShape(Shape, frozen=True):
    """A message as it reads now. `sent_at` is its author's clock, `arrived_at` ours."""

    id: str
    session: str
    author: AuthorShape
    text: str
    thread: str | None
    reply_to: str | None
    sent_at: str
    arrived_at: str
    edited: bool
    deleted: bool
    reactions: list[ReactionShape]
    reply_count: int
    call: CallRecordShape | None = None


class RevisionShape(Shape, frozen=True):
    """A text that a message had."""

    text: str
    at: str


class SealedShape(Shape, frozen=True):
    """A server keeps a message for a device that is away, sealed, until a time."""

    device: str
    server: str
    until: str


class DeliveryShape(Shape, frozen=True):
    """Devices that hold a message durably, first-hand, and those not known to; for which of the
    latter it waits at a server."""

    stored_on: list[str]
    missing: list[str]
    sealed: list[SealedShape]


class ThreadShape(Shape, frozen=True):
    """A thread, named by its first message."""

    id: str
    session: str
    reply_count: int
    participants: list[AuthorName]
    last_reply_at: str | None
    unread: int


class AuthorName(Shape, frozen=True):
    """A person with the name to show."""

    person: str
    name: str


class PresenceShape(Shape, frozen=True):
    """A person's presence."""

    person: str
    state: str
    text: str
    until: str | None
    devices: int


class StatsShape(Shape, frozen=True):
    """Counts of this node."""

    conversations: int
    messages: int
    members_online: int
    links: int
    calls: int
    bytes_in: int
    bytes_out: int
    store_bytes: int
    uptime_s: float


class EventShape(Shape, frozen=True):
    """One event; `data` has the shape of its thing."""

    cursor: str
    type: str
    at: str
    data: dict[str, Any]


# --- request bodies ------------------------------------------------------------------------------


class DialBody(Body, frozen=True):
    """Where to reach a computer: ``host:port``."""

    address: str


class TeamBody(Body, frozen=True):
    """A new team. `visible`: computers on this network see its name and may ask to join."""

    name: str
    visible: bool = True


class InviteBody(Body, frozen=True):
    """Terms of an invitation."""

    role: Literal["member", "guest"] = "member"
    expires_s: int | None = None
    uses: int | None = None


class JoinBody(Body, frozen=True):
    """An invitation link."""

    invite: str


class AskBody(Body, frozen=True):
    """A word to those who may admit."""

    note: str = ""


class AnswerBody(Body, frozen=True):
    """What to do with a request."""

    action: Literal["admit", "decline", "block"]


class SessionBody(Body, frozen=True):
    """A new conversation: a channel of a team, or a direct one with participants."""

    kind: Literal["channel", "direct"]
    team: str | None = None
    name: str = ""
    topic: str = ""
    participants: list[str] = []


class SessionPatch(Body, frozen=True):
    """What to change; what is left out stays."""

    name: str | None = None
    topic: str | None = None


class MessageBody(Body, frozen=True):
    """A new message; `client_id` makes a retry safe."""

    text: str
    thread: str | None = None
    reply_to: str | None = None
    client_id: str = ""


class EditBody(Body, frozen=True):
    """The new text."""

    text: str


class TypingBody(Body, frozen=True):
    """Somebody writes, or stopped."""

    thread: str | None = None
    on: bool = True


class PresenceBody(Body, frozen=True):
    """How we want to be seen; `until` ends the text."""

    state: Literal["online", "away", "dnd"]
    text: str = ""
    until: str | None = None


# --- values to shapes ----------------------------------------------------------------------------


def stamp(time_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds; a year that no calendar holds is clamped."""
    seconds = min(max(time_ms, 0), 253_402_300_799_000) / 1000
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp_or_none(time_ms: int | None) -> str | None:
    """Like `stamp`, and null where there is no time."""
    return None if not time_ms else stamp(time_ms)


def identity(me: values.Identity) -> IdentityShape:
    """Shape of an identity."""
    return IdentityShape(
        me.person.hex(), me.device.hex(), me.name, me.device_name, list(me.words), me.version
    )


def peer(known: values.Peer) -> PeerShape:
    """Shape of a peer."""
    return PeerShape(
        device=known.device.hex(),
        person=known.person.hex(),
        name=known.name,
        state=known.state.value,
        way=known.way.value,
        address=known.address,
        rtt_ms=known.rtt_ms,
        last_seen=stamp_or_none(known.last_seen_ms),
    )


def team(ours: values.Team) -> TeamShape:
    """Shape of a team."""
    return TeamShape(ours.id.hex(), ours.name, ours.role.value, ours.members, ours.visible)


def member(person: values.Member) -> MemberShape:
    """Shape of a member."""
    devices = [device.hex() for device in person.devices]
    return MemberShape(person.person.hex(), person.name, person.role.value, devices, person.is_me)


def invite(made: values.Invite) -> InviteShape:
    """Shape of an invitation."""
    return InviteShape(
        id=made.id.hex(),
        link=made.link,
        code=None,
        role=made.role.value,
        expires_at=stamp_or_none(made.expires_at_ms),
        uses_left=made.uses_left,
    )


def nearby(seen: values.NearbyTeam) -> NearbyShape:
    """Shape of a team on this network."""
    return NearbyShape(
        seen.id.hex(), seen.name, seen.computers_online, seen.asked, list(seen.words)
    )


def request(waiting: values.JoinRequest) -> RequestShape:
    """Shape of a request to join."""
    return RequestShape(
        team=waiting.team.hex(),
        person=waiting.person.hex(),
        device=waiting.device.hex(),
        name=waiting.name,
        note=waiting.note,
        words=list(waiting.words),
        asked_at=stamp(waiting.asked_at_ms),
    )


def session(conversation: values.Conversation) -> SessionShape:
    """Shape of a conversation."""
    return SessionShape(
        id=conversation.id.hex(),
        kind=conversation.kind.value,
        name=conversation.name,
        topic=conversation.topic,
        team=None if conversation.team is None else conversation.team.hex(),
        participants=[person.hex() for person in conversation.participants],
        unread=conversation.unread,
        mentions=conversation.mentions,
        last_activity=stamp_or_none(conversation.last_activity_ms),
    )


def message(written: values.Message) -> MessageShape:
    """Shape of a message."""
    return MessageShape(
        id=written.id.hex(),
        session=written.conversation.hex(),
        author=AuthorShape(written.author.hex(), written.device.hex(), written.author_name),
        text=written.text,
        thread=None if written.thread is None else written.thread.hex(),
        reply_to=None if written.reply_to is None else written.reply_to.hex(),
        sent_at=stamp(written.sent_at_ms),
        arrived_at=stamp(written.arrived_at_ms),
        edited=written.edited,
        deleted=written.deleted,
        reactions=[
            ReactionShape(one.emoji, one.count, [person.hex() for person in one.people])
            for one in written.reactions
        ],
        reply_count=written.reply_count,
        call=None if written.call is None else call_record(written.call),
    )


def call_record(held: CallRecord) -> CallRecordShape:
    """Shape of a call in the log."""
    people = zip(held.participants, held.names, strict=True)
    return CallRecordShape(
        id=held.id.hex(),
        session=held.conversation.hex(),
        started_by=held.started_by.hex(),
        started_by_name=held.started_by_name,
        video=held.video,
        started_at=stamp(held.started_at_ms),
        ended_at=stamp_or_none(held.ended_at_ms),
        duration_s=held.duration_s,
        participants=[AuthorName(person.hex(), name) for person, name in people],
        took_part=held.took_part,
        declined=held.declined,
        declined_by=[AuthorName(person.hex(), name) for person, name in held.declined_by],
        recorded=[
            RecordedShape(one.person.hex(), one.name, stamp(one.began_at_ms), one.seconds)
            for one in held.recorded
        ],
    )


def thread(summary: values.Thread) -> ThreadShape:
    """Shape of a thread."""
    return ThreadShape(
        id=summary.id.hex(),
        session=summary.conversation.hex(),
        reply_count=summary.reply_count,
        participants=[AuthorName(one.person.hex(), one.name) for one in summary.participants],
        last_reply_at=stamp_or_none(summary.last_reply_ms),
        unread=summary.unread,
    )


def delivery(held: values.Delivery) -> DeliveryShape:
    """Shape of a delivery."""
    sealed = [
        SealedShape(kept.device.hex(), kept.server, stamp(kept.until_ms)) for kept in held.sealed
    ]
    return DeliveryShape(hexes(held.stored_on), hexes(held.missing), sealed)


def presence(seen: values.Presence) -> PresenceShape:
    """Shape of a presence."""
    return PresenceShape(
        seen.person.hex(), seen.state.value, seen.text, stamp_or_none(seen.until_ms), seen.devices
    )


def stats(counts: values.Stats) -> StatsShape:
    """Shape of the counts."""
    return StatsShape(
        conversations=counts.conversations,
        messages=counts.messages,
        members_online=counts.members_online,
        links=counts.links,
        calls=counts.calls,
        bytes_in=counts.bytes_in,
        bytes_out=counts.bytes_out,
        store_bytes=counts.store_bytes,
        uptime_s=round(counts.uptime_s, 3),
    )


def hexes(ids: Sequence[bytes]) -> list[str]:
    """Identifiers as text."""
    return [one.hex() for one in ids]
