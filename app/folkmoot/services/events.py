"""Typed events, told after the commit that made them true, and the bus that carries them.

An event carries identifiers and values, never rows. A listener that is slower than the node gets
`Gap` and its queue is emptied: it reads the state anew. Nothing is buffered without bound.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from folkmoot.domain.ids import ConversationId, EntryId
from folkmoot.services.values import (
    Conversation,
    Delivery,
    Identity,
    JoinRequest,
    Message,
    NearbyTeam,
    Peer,
    Presence,
    Team,
    Typing,
)


@dataclass(frozen=True, slots=True)
class Event:
    """Base of everything the node tells."""


@dataclass(frozen=True, slots=True)
class MessageCreated(Event):
    """A message was stored, ours or a peer's; `root` is the first message of its thread."""

    message: Message
    root: Message | None = None


@dataclass(frozen=True, slots=True)
class MessagesArrived(Event):
    """Many messages were stored at once while catching up: read the conversation anew."""

    conversation: ConversationId
    count: int


@dataclass(frozen=True, slots=True)
class MessageChanged(Event):
    """A message reads differently. `what`: ``edited``, ``deleted``, ``reactions``, ``body``."""

    message: Message
    what: str


@dataclass(frozen=True, slots=True)
class ConversationChanged(Event):
    """A conversation is new, or its name, topic, unread count or last activity changed."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class TeamChanged(Event):
    """A team is new or changed."""

    team: Team


@dataclass(frozen=True, slots=True)
class MembersChanged(Event):
    """Members of a team, their names or roles changed: read them anew."""

    team: ConversationId


@dataclass(frozen=True, slots=True)
class IdentityChanged(Event):
    """Our own name changed."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class PresenceChanged(Event):
    """A person's presence changed."""

    presence: Presence


@dataclass(frozen=True, slots=True)
class TypingChanged(Event):
    """Somebody began or stopped writing."""

    typing: Typing


@dataclass(frozen=True, slots=True)
class DeliveryChanged(Event):
    """More computers are known to hold entries up to these messages.

    `messages` lists only messages of this person whose figure changed, newest last, at most 200.
    """

    conversation: ConversationId
    messages: tuple[tuple[EntryId, int, int], ...]
    """(message, stored_on, stored_of)"""
    delivery: Delivery | None = None


@dataclass(frozen=True, slots=True)
class PeerChanged(Event):
    """A link came up, went down or is being tried."""

    peer: Peer


@dataclass(frozen=True, slots=True)
class NearbyChanged(Event):
    """The teams shown on this network, all of them."""

    teams: tuple[NearbyTeam, ...]


@dataclass(frozen=True, slots=True)
class JoinRequestsChanged(Event):
    """Those who wait to be let in, all of them."""

    requests: tuple[JoinRequest, ...]


@dataclass(frozen=True, slots=True)
class AskAnswered(Event):
    """What came of our request to join: `state` is ``admitted`` or ``declined``."""

    team: ConversationId
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class NoticeChanged(Event):
    """A state of the environment to show while it lasts; `message` empty means it is over.

    `code`: ``port_taken``, ``no_network``, ``read_only``, ``disk_full``, ``store_damaged`` …
    """

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Gap(Event):
    """This listener was too slow and lost events: read everything anew."""


class EventBus:
    """Hands events to listeners on the node's loop, in the order of the commits."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []

    def publish(self, event: Event) -> None:
        """Call every listener now. Listeners must not block and must not raise."""
        for listener in tuple(self._listeners):
            listener(event)

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Add `listener`; the returned callable takes it off again."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def queue(self, limit: int = 1000) -> EventQueue:
        """A bounded queue of events for one reader."""
        return EventQueue(self, limit)


class EventQueue:
    """Events for one asyncio reader; overflow turns into one `Gap`."""

    def __init__(self, bus: EventBus, limit: int) -> None:
        self._limit = limit
        self._events: deque[Event] = deque()
        self._waiting = asyncio.Event()
        self._stop = bus.listen(self._take)

    def _take(self, event: Event) -> None:
        if len(self._events) >= self._limit:
            self._events.clear()
            event = Gap()
        self._events.append(event)
        self._waiting.set()

    async def get(self) -> Event:
        """The next event; waits for one."""
        while not self._events:
            self._waiting.clear()
            await self._waiting.wait()
        return self._events.popleft()

    def close(self) -> None:
        """Stop listening."""
        self._stop()
