"""Typed events, told after the commit that made them true, and the bus that carries them.

An event carries identifiers and values, never rows. A listener that is slower than the node gets
`Gap` and its queue is emptied: it reads the state anew. Nothing is buffered without bound.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId
from folkmoot.services.call_values import (
    Call,
    CallId,
    MediaDevices,
    PeerStats,
    Recording,
    ShareSources,
)
from folkmoot.services.update_values import Updates
from folkmoot.services.values import (
    Conversation,
    Delivery,
    Identity,
    JoinRequest,
    Message,
    NearbyTeam,
    Peer,
    Presence,
    Server,
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
    """A message reads differently. `what`: ``edited``, ``deleted``, ``reactions``, ``body``,
    ``call`` (its call ended)."""

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
class ServersChanged(Event):
    """A signaling server was added, removed, reached or lost."""

    servers: tuple[Server, ...]


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
    With `delivery` it is one message, which waits at a server now.
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
class CallChanged(Event):
    """A call is new or changed; `phase` ENDED is the last that is told of it."""

    call: Call


@dataclass(frozen=True, slots=True)
class CallLevels(Event):
    """(device, loudness 0 to 1, speaks) of those who are heard, ourselves included."""

    call: CallId
    rows: tuple[tuple[DeviceId, float, bool], ...]


@dataclass(frozen=True, slots=True)
class CallReaction(Event):
    """Somebody in a call showed an emoji."""

    call: CallId
    person: PersonId
    emoji: str


@dataclass(frozen=True, slots=True)
class CallStatsTaken(Event):
    """The last second of every connection of a call."""

    call: CallId
    rows: tuple[PeerStats, ...]


@dataclass(frozen=True, slots=True)
class CallNotice(Event):
    """Something about a call that a person should know now, in words.

    `code`: ``mute_asked``, ``microphone``, ``speaker``, ``camera`` (a device fault, or, with an
    empty message, its end), ``media_restarted``, ``mic_muted_by_host``, ``share`` (ours ended, and
    why; not told when the person ended it), ``recording`` (ours ended by itself, and why),
    ``no_relay`` (nobody is reached, and why no relay helps; with an empty message: all are).
    """

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ShareSourcesChanged(Event):
    """What can be shared, while it is asked for."""

    sources: ShareSources


@dataclass(frozen=True, slots=True)
class InkDrawn(Event):
    """Somebody points at, or draws on, what `presenter` shares; ours is told as well.

    `action`, `stroke` and `places` as in `frames.CallInk`; places are pairs of fractions, 0 to 1.
    """

    call: CallId
    presenter: DeviceId
    person: PersonId
    device: DeviceId
    name: str
    action: str
    stroke: int
    places: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class RecordingsChanged(Event):
    """A recording of this person is new or changed; `gone`: it is in the list no more."""

    recording: Recording
    gone: bool = False


@dataclass(frozen=True, slots=True)
class DevicesChanged(Event):
    """What can be chosen for calls."""

    devices: MediaDevices


@dataclass(frozen=True, slots=True)
class MicrophoneTested(Event):
    """The level of the microphone, 0 to 1, while it is checked outside a call."""

    level: float


@dataclass(frozen=True, slots=True)
class UpdatesChanged(Event):
    """What is known of new versions of the program changed."""

    updates: Updates


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
