"""Who is there and who writes: told by links, kept in memory, never in a log.

Owns this person's own state and what others said of theirs. Refuses to believe a device about
anybody but its own person, and to show typing in a conversation the person may not see.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Protocol

from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId
from folkmoot.domain.names import MAX_STATUS_LENGTH, clean_status
from folkmoot.services.events import EventBus, PresenceChanged, TypingChanged
from folkmoot.services.ports import Clock, Store
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.values import Presence, PresenceState, Typing

TYPING_LIFE_S = 6.0
TYPING_INTERVAL_S = 2.0
"""A typing frame is sent at most this often for one conversation."""
MAX_TYPING = 256
MAX_TYPING_PER_PERSON = 4
"""Places at once: nobody writes in more, and nobody shall hide that others write."""
_SETTING = "presence"


class Live(Protocol):
    """Sends what is not stored to every linked device that may see it."""

    def tell_presence(self, state: PresenceState, text: str, until_ms: int | None) -> None:
        """Send this person's state to all linked devices of shared teams."""
        ...

    def tell_typing(self, conversation: ConversationId, thread: EntryId | None, on: bool) -> None:
        """Say that this person writes, to those who may see the conversation."""
        ...


@dataclass(slots=True)
class _Heard:
    """What one linked device said last."""

    person: PersonId
    state: PresenceState = PresenceState.ONLINE
    text: str = ""
    until_ms: int | None = None
    at: float = 0.0


_TypingKey = tuple[PersonId, ConversationId, EntryId | None]


class PresenceService:
    """Presence and typing of this person and of those linked to us."""

    def __init__(
        self,
        me: PersonId,
        store: Store,
        clock: Clock,
        events: EventBus,
        registry: TeamRegistry,
    ) -> None:
        self._me = me
        self._store = store
        self._clock = clock
        self._events = events
        self._registry = registry
        self._live: Live | None = None
        self._state = PresenceState.ONLINE
        self._text = ""
        self._until_ms: int | None = None
        self._heard: dict[DeviceId, _Heard] = {}
        self._typing: dict[_TypingKey, asyncio.TimerHandle] = {}
        self._said_typing: dict[tuple[ConversationId, EntryId | None], float] = {}
        self._timers: dict[PersonId, asyncio.TimerHandle] = {}

    async def load(self) -> None:
        """Take up the state that was set before the last stop."""
        kept = await self._store.setting(_SETTING)
        if kept is not None:
            state, self._text, self._until_ms = json.loads(kept)
            self._state = PresenceState(state)
            self._watch(self._me, self._until_ms)

    def attach(self, live: Live) -> None:
        """Give the sender; until then nothing is sent."""
        self._live = live

    # This person
    def own(self) -> tuple[PresenceState, str, int | None]:
        """(state, text, until_ms) to tell a device that has just linked."""
        text, until_ms = self._current(self._text, self._until_ms)
        return self._state, text, until_ms

    async def set(
        self, state: PresenceState, text: str = "", until_ms: int | None = None
    ) -> Presence:
        """Say how one is; `text` ends at `until_ms`. Kept over a restart."""
        text = clean_status(text)
        if until_ms is not None and until_ms <= self._clock.wall_ms():
            text, until_ms = "", None
        await self._store.set_setting(_SETTING, json.dumps([state, text, until_ms]))
        self._state, self._text, self._until_ms = state, text, until_ms
        self._watch(self._me, until_ms)
        if self._live is not None:
            self._live.tell_presence(state, text, until_ms)
        presence = self.of(self._me)
        self._events.publish(PresenceChanged(presence))
        return presence

    def typing(self, conversation: ConversationId, thread: EntryId | None, on: bool) -> None:
        """Say that this person writes, or stopped. Call it at each key: the rate is bounded."""
        now = asyncio.get_running_loop().time()
        place = (conversation, thread)
        said = self._said_typing.get(place)
        if on:
            if said is not None and now - said < TYPING_INTERVAL_S:
                return
            if len(self._said_typing) >= MAX_TYPING:
                self._said_typing.clear()
            self._said_typing[place] = now
        elif self._said_typing.pop(place, None) is None:
            return
        if self._live is not None:
            self._live.tell_typing(conversation, thread, on)

    # Others
    def of(self, person: PersonId) -> Presence:
        """One person's presence; offline if none of their devices is linked."""
        devices = [heard for heard in self._heard.values() if heard.person == person]
        if person == self._me:
            text, until_ms = self._current(self._text, self._until_ms)
            return Presence(person, self._state, text, until_ms, 1 + len(devices))
        if not devices:
            return Presence(person, PresenceState.OFFLINE, "", None, 0)
        newest = max(devices, key=lambda heard: heard.at)
        text, until_ms = self._current(newest.text, newest.until_ms)
        return Presence(person, newest.state, text, until_ms, len(devices))

    def list(self) -> list[Presence]:
        """Everybody with whom this person shares a team, oneself included."""
        return [self.of(p) for p in sorted(self._registry.known_persons() | {self._me})]

    def online(self) -> int:
        """How many other persons are linked."""
        return len({heard.person for heard in self._heard.values()} - {self._me})

    # Told by links
    def link_up(self, device: DeviceId, person: PersonId) -> None:
        """A device of `person` is linked; what it said over a link before still holds."""
        if device in self._heard:
            return
        self._heard[device] = _Heard(person, at=asyncio.get_running_loop().time())
        self._events.publish(PresenceChanged(self.of(person)))

    def link_down(self, device: DeviceId) -> None:
        """The link to a device is gone: it says nothing and writes nothing any more."""
        heard = self._heard.pop(device, None)
        if heard is None:
            return
        if not any(other.person == heard.person for other in self._heard.values()):
            self._stop_typing(heard.person)
        self._events.publish(PresenceChanged(self.of(heard.person)))

    def heard(
        self, device: DeviceId, state: PresenceState, text: str, until_ms: int | None
    ) -> None:
        """A linked device says how its person is. `text` is bounded by the frame."""
        heard = self._heard.get(device)
        if heard is None:
            return
        heard.state, heard.text, heard.until_ms = state, text[:MAX_STATUS_LENGTH], until_ms
        heard.at = asyncio.get_running_loop().time()
        self._watch(heard.person, until_ms)
        self._events.publish(PresenceChanged(self.of(heard.person)))

    def heard_typing(
        self, device: DeviceId, conversation: ConversationId, thread: EntryId | None, on: bool
    ) -> None:
        """A linked device says that its person writes; forgotten after six seconds."""
        heard = self._heard.get(device)
        if heard is None or heard.person == self._me:
            return
        if not self._registry.may_see(conversation, heard.person):
            return
        key = (heard.person, conversation, thread)
        timer = self._typing.pop(key, None)
        if timer is not None:
            timer.cancel()
        own = sum(other[0] == heard.person for other in self._typing)
        if on and own < MAX_TYPING_PER_PERSON and len(self._typing) < MAX_TYPING:
            loop = asyncio.get_running_loop()
            self._typing[key] = loop.call_later(TYPING_LIFE_S, self._typing_ended, key)
            if timer is None:
                self._publish_typing(key, on=True)
        elif timer is not None:
            self._publish_typing(key, on=False)

    def wrote(self, person: PersonId, conversation: ConversationId, thread: EntryId | None) -> None:
        """A message of `person` arrived there: they do not write it any more."""
        timer = self._typing.pop((person, conversation, thread), None)
        if timer is not None:
            timer.cancel()
            self._publish_typing((person, conversation, thread), on=False)

    async def aclose(self) -> None:
        """Cancel every timer."""
        for timer in (*self._typing.values(), *self._timers.values()):
            timer.cancel()
        self._typing.clear()
        self._timers.clear()

    def _typing_ended(self, key: _TypingKey) -> None:
        if self._typing.pop(key, None) is not None:
            self._publish_typing(key, on=False)

    def _stop_typing(self, person: PersonId) -> None:
        for key in [key for key in self._typing if key[0] == person]:
            self._typing[key].cancel()
            self._typing_ended(key)

    def _publish_typing(self, key: _TypingKey, *, on: bool) -> None:
        person, conversation, thread = key
        name = self._registry.name_of(person, self._registry.team_of(conversation))
        self._events.publish(TypingChanged(Typing(conversation, thread, person, name, on)))

    def _current(self, text: str, until_ms: int | None) -> tuple[str, int | None]:
        over = until_ms is not None and until_ms <= self._clock.wall_ms()
        return ("", None) if over else (text, until_ms)

    def _watch(self, person: PersonId, until_ms: int | None) -> None:
        """Tell it again when the text of `person` is over."""
        timer = self._timers.pop(person, None)
        if timer is not None:
            timer.cancel()
        if until_ms is None:
            return
        # A timer further away than a day is looked at again by then.
        delay_s = min(max(0.0, (until_ms - self._clock.wall_ms()) / 1000), 86_400.0)
        loop = asyncio.get_running_loop()
        self._timers[person] = loop.call_later(delay_s + 0.01, self._text_over, person, until_ms)

    def _text_over(self, person: PersonId, until_ms: int) -> None:
        self._timers.pop(person, None)
        if until_ms > self._clock.wall_ms():
            self._watch(person, until_ms)
            return
        self._events.publish(PresenceChanged(self.of(person)))
