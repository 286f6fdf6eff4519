"""The event stream: every change after its commit, with a cursor to go on from.

Keeps a bounded window of recent events for resuming. A reader that does not keep up, or comes back
with a cursor that is no longer held, is told ``gap`` and closed; nothing is kept for it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Iterator

import msgspec

from folkmoot.api import call_routes, server_routes, shapes, sharing_routes
from folkmoot.services import events as told
from folkmoot.services.events import Event, EventBus
from folkmoot.services.ports import Clock

MAX_HELD_EVENTS = 1000
MAX_HELD_BYTES = 4 * 1024 * 1024
_CHANGES = {
    "edited": "message.edited",
    "deleted": "message.deleted",
    "reactions": "reaction.changed",
    "body": "message.edited",
}


class EventWindow:
    """Recent events as JSON text, numbered; readers wait for the next one."""

    def __init__(self, bus: EventBus, clock: Clock, epoch: str) -> None:
        self._clock = clock
        self._epoch = epoch
        self._held: deque[tuple[int, str]] = deque()
        self._held_bytes = 0
        self._next = 1
        self._grew = asyncio.Event()
        self._stop = bus.listen(self._take)

    def close(self) -> None:
        """Stop listening and wake the readers."""
        self._stop()
        self._grew.set()

    def position(self, cursor: str | None) -> int | None:
        """The number after `cursor` (None: from now on), or None when that is no longer held."""
        if cursor is None:
            return self._next
        epoch, _, number = cursor.partition("-")
        if epoch != self._epoch or not number.isdecimal() or len(number) > 18:
            return None
        wanted = int(number) + 1
        return wanted if self._oldest() <= wanted <= self._next else None

    async def after(self, position: int) -> list[str] | None:
        """Events from `position` on, at least one; None if some of them are gone."""
        while position >= self._next:
            self._grew.clear()
            await self._grew.wait()
        if position < self._oldest():
            return None
        skipped = position - self._oldest()
        return [text for _, text in itertools.islice(self._held, skipped, None)]

    def gap(self) -> str:
        """The frame that says: read everything anew."""
        return self._frame("gap", {}, self._next - 1)

    def _oldest(self) -> int:
        return self._held[0][0] if self._held else self._next

    def _take(self, event: Event) -> None:
        for kind, data in _describe(event):
            text = self._frame(kind, data, self._next)
            self._held.append((self._next, text))
            self._held_bytes += len(text)
            self._next += 1
            while len(self._held) > MAX_HELD_EVENTS or self._held_bytes > MAX_HELD_BYTES:
                self._held_bytes -= len(self._held.popleft()[1])
            self._grew.set()

    def _frame(self, kind: str, data: object, number: int) -> str:
        builtins = msgspec.to_builtins(data)
        event = shapes.EventShape(
            f"{self._epoch}-{number}", kind, shapes.stamp(self._clock.wall_ms()), builtins
        )
        return msgspec.json.encode(event).decode()


def _describe(event: Event) -> Iterator[tuple[str, object]]:
    match event:
        case told.MessageCreated(message):
            yield "message.created", shapes.message(message)
        case told.MessageChanged(message, what):
            yield _CHANGES.get(what, "message.edited"), shapes.message(message)
        case told.MessagesArrived(conversation, count):
            yield "session.changed", {"id": conversation.hex(), "arrived": count}
        case told.ConversationChanged(conversation):
            yield "session.changed", shapes.session(conversation)
        case told.TeamChanged(team):
            yield "team.changed", shapes.team(team)
        case told.MembersChanged(team):
            yield "member.changed", {"team": team.hex()}
        case told.PresenceChanged(presence):
            yield "presence.changed", shapes.presence(presence)
        case told.PeerChanged(peer):
            yield "peer.changed", shapes.peer(peer)
        case told.ServersChanged(servers):
            yield "server.changed", server_routes.servers(servers)
        case told.NearbyChanged(teams):
            yield "nearby.changed", {"items": [shapes.nearby(one) for one in teams]}
        case told.JoinRequestsChanged(requests):
            yield "request.changed", {"items": [shapes.request(one) for one in requests]}
        case told.AskAnswered(team, name, state):
            yield "ask.answered", {"team": team.hex(), "name": name, "state": state}
        case told.DeliveryChanged(conversation, figures, delivery):
            sealed = [] if delivery is None else shapes.delivery(delivery).sealed
            for entry, stored_on, stored_of in figures:
                yield (
                    "delivery.changed",
                    {
                        "message": entry.hex(),
                        "session": conversation.hex(),
                        "stored_on": stored_on,
                        "stored_of": stored_of,
                        "sealed": sealed,
                    },
                )
        case told.CallChanged(call):
            yield "room.changed", call_routes.room(call)
        case told.RecordingsChanged(recording, gone):
            yield "recording.changed", sharing_routes.recording(recording, gone)
        case told.CallReaction(call_id, person, emoji):
            yield "room.reaction", {"id": call_id.hex(), "person": person.hex(), "emoji": emoji}
        case told.TypingChanged(typing):
            yield (
                "typing",
                {
                    "session": typing.conversation.hex(),
                    "thread": None if typing.thread is None else typing.thread.hex(),
                    "person": typing.person.hex(),
                    "name": typing.name,
                    "on": typing.on,
                },
            )
