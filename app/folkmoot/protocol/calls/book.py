"""What the parts of the machine share: the rooms, who is linked, and the effects to be done."""

from __future__ import annotations

from collections.abc import Callable

from folkmoot.domain.calls import CallEnd, CallId
from folkmoot.domain.ids import ConversationId, DeviceId, PersonId
from folkmoot.protocol import frames
from folkmoot.protocol.calls.effects import Announce, Changed, Effect, Send
from folkmoot.protocol.calls.room import JOINED, Budget, InkBudget, Own, Rights, Room, Stand

MAX_ROOMS = 256
MAX_CLOSED = 256
RINGS_BURST, RINGS_PER_S = 4.0, 0.1
SAY_AGAIN_S = (1.0, 2.0)
SAY_EVERY_S = 5.0


class Book:
    """The state of all calls on one device. `now` is set by the machine at each input."""

    def __init__(
        self, me: PersonId, device: DeviceId, rights: Rights, is_dnd: Callable[[], bool]
    ) -> None:
        self.me, self.device = me, device
        self.rights, self.is_dnd = rights, is_dnd
        self.now = 0.0
        self.links: dict[DeviceId, PersonId] = {}
        self.heard: dict[DeviceId, int] = {}
        self.rooms: dict[CallId, Room] = {}
        self.closed: dict[CallId, None] = {}
        self.ring_budgets: dict[PersonId, Budget] = {}
        self.moves = Budget(4, 0.1)
        self.reactions = Budget(5, 2)
        self.ink = InkBudget()
        self._sequence = 0
        self._out: list[Effect] = []
        self._changed: dict[int, Room] = {}

    # --- effects -----------------------------------------------------------------------------

    def do(self, *effects: Effect) -> None:
        """Have something done."""
        self._out += effects

    def changed(self, room: Room) -> None:
        """A room reads differently; told once, after all else of this input."""
        self._changed[id(room)] = room

    def take(self) -> list[Effect]:
        """What is to be done now."""
        out = [*self._out, *(Changed(room) for room in self._changed.values())]
        self._out, self._changed = [], {}
        return out

    # --- rooms -------------------------------------------------------------------------------

    def own_room(self) -> Room | None:
        """The call that this device is in."""
        return next((room for room in self.rooms.values() if room.joined), None)

    def in_conversation(self, conversation: ConversationId) -> list[Room]:
        """Its calls, the smallest id first: all move to that one."""
        found = (r for r in self.rooms.values() if r.conversation == conversation)
        return sorted(found, key=lambda room: room.id)

    def controls(self, room: Room, person: PersonId) -> bool:
        """Whether a person may mute, remove, lock and end."""
        host = person == room.started_by and self.rights.may_see(room.conversation, person)
        return host or self.rights.is_admin(room.conversation, person)

    def close(self, call: CallId) -> None:
        """Hear no more of a call."""
        if len(self.closed) >= MAX_CLOSED:
            del self.closed[next(iter(self.closed))]
        self.closed[call] = None

    def is_locked(self, room: Room) -> bool:
        """By our own word while we are in it; else by that of who controls, or of everybody."""
        if room.joined:
            return room.locked
        present = room.present()
        says = [stand for stand in present if self.controls(room, stand.person)] or present
        return bool(says) and all(stand.flags & frames.CALL_LOCKED for stand in says)

    def is_ending(self, room: Room) -> bool:
        """Whether it is a call of two that we hung up: the other one goes when they hear of it."""
        ours = any(stand.person == self.me for stand in room.present())
        return room.left_at is not None and not ours and self.rights.is_pair(room.conversation)

    def drop(self, room: Room, device: DeviceId) -> Stand | None:
        """A device is not in the room any more."""
        return room.others.pop(device, None)

    # --- what we say -------------------------------------------------------------------------

    def state_frame(self, room: Room, own: Own) -> frames.CallState:
        """Our word about a room."""
        self._sequence += 1
        flags = (
            frames.CALL_MICROPHONE * own.microphone
            | frames.CALL_CAMERA * own.camera
            | frames.CALL_HAND * own.hand
            | frames.CALL_LOCKED * room.locked
            | frames.CALL_VIDEO * room.video
            | frames.CALL_SCREEN * own.screen
            | frames.CALL_PAUSED * (own.screen and own.paused)
            | frames.CALL_RECORDS * own.recording
        )
        return frames.CallState(
            call=room.id,
            conversation=room.conversation,
            sequence=self._sequence,
            state=own.state,
            flags=flags,
            started_ms=room.started_ms,
            started_by=room.started_by,
            rings=own.rings if own.state == JOINED else (),
        )

    def announce(self, room: Room) -> None:
        """Tell everybody who may know, now and soon again: a frame may be lost."""
        if room.own is None:
            return
        room.own.repeats = 0
        room.own.say_at = self.now + SAY_AGAIN_S[0]
        self.do(Announce(room.conversation, self.state_frame(room, room.own)))

    def repeat(self, room: Room, own: Own) -> None:
        """Say it again when it is time; whoever is in a call says so for as long."""
        if self.now < own.say_at:
            return
        own.repeats += 1
        if own.repeats > len(SAY_AGAIN_S) and own.state != JOINED:
            own.say_at = float("inf")
            return
        early = own.repeats < len(SAY_AGAIN_S)
        own.say_at = self.now + (SAY_AGAIN_S[own.repeats] if early else SAY_EVERY_S)
        self.do(Announce(room.conversation, self.state_frame(room, own)))

    def tell(self, device: DeviceId) -> None:
        """Tell a device whose link came up."""
        person = self.links[device]
        for room in self.rooms.values():
            if room.own is not None and self.rights.may_see(room.conversation, person):
                self.do(Send(device, self.state_frame(room, room.own)))

    def may_ring(self, person: PersonId) -> bool:
        """Whether one more new ring of a person is shown."""
        if len(self.ring_budgets) >= MAX_ROOMS:
            self.ring_budgets.clear()
        budget = self.ring_budgets.setdefault(person, Budget(RINGS_BURST, RINGS_PER_S))
        return budget.take(self.now)

    def end(self, room: Room, end: CallEnd) -> None:
        """Note why it is over for us."""
        room.end = end
        self.changed(room)
