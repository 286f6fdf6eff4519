"""What a durable commit sets off: the registry of teams, then the events, then those who send on.

Every commit of the node passes `Publisher.tell`, own entries and a peer's alike. Refuses to be
called before the commit: it is handed what the store answered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from folkmoot.domain.fold import TeamState
from folkmoot.domain.ids import ConversationId, DeviceId
from folkmoot.services.events import (
    ConversationChanged,
    Event,
    EventBus,
    MembersChanged,
    MessageChanged,
    MessageCreated,
    MessagesArrived,
    TeamChanged,
)
from folkmoot.services.ports import Appended
from folkmoot.services.registry import TeamRegistry

Committed = Callable[[Appended, DeviceId | None], None]
"""Called after each commit with what it changed and the device it came from (None: ourselves)."""

_log = logging.getLogger(__name__)


class Publisher:
    """Tells what commits changed, in the order of the commits, on the node's loop."""

    def __init__(self, events: EventBus, registry: TeamRegistry) -> None:
        self._events = events
        self._registry = registry
        self._first: list[Committed] = []
        self._listeners: list[Committed] = []

    def listen(self, listener: Committed, *, first: bool = False) -> None:
        """Call `listener` after each commit, once the events are out. It must not block.

        `first`: for our own commits before the events. The window that an event wakes takes the
        interpreter from this thread; a message should be on its way to the others by then.
        """
        (self._first if first else self._listeners).append(listener)

    def tell(self, appended: Appended, source: DeviceId | None = None) -> None:
        """Bring the registry up to date, publish the events, call the listeners."""
        before = {team: self._registry.team(team) for team in appended.teams}
        self._registry.update(appended)
        own = source is None
        if own:
            self._call(self._first, appended, source)
        for event in self._events_of(appended, before):
            self._events.publish(event)
        if not own:
            self._call(self._first, appended, source)
        self._call(self._listeners, appended, source)

    @staticmethod
    def _call(listeners: list[Committed], appended: Appended, source: DeviceId | None) -> None:
        if appended.entries:
            for listener in tuple(listeners):
                listener(appended, source)

    def _events_of(
        self, appended: Appended, before: dict[ConversationId, TeamState | None]
    ) -> list[Event]:
        told: list[Event] = []
        for id, state in appended.teams.items():
            told.extend(self._team_events(id, before[id], state))
        told.extend(ConversationChanged(conversation) for conversation in appended.conversations)
        told.extend(
            MessageCreated(message, appended.roots.get(message.thread) if message.thread else None)
            for message in appended.created
        )
        told.extend(MessageChanged(message, what) for message, what in appended.changed)
        told.extend(MessagesArrived(id, count) for id, count in appended.arrived.items())
        return told

    def _team_events(
        self, id: ConversationId, before: TeamState | None, after: TeamState
    ) -> list[Event]:
        team = self._registry.shown(id)
        if team is None:
            return []
        told: list[Event] = [TeamChanged(team)]
        if before is None or before.members != after.members or before.devices != after.devices:
            told.append(MembersChanged(id))
        return told
