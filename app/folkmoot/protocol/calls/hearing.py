"""What other devices say of calls, judged: by the right to see, to act, and by what is possible.

Refuses, in silence, what an honest device may send a moment too late, and what nobody asked for;
raises `PeerError` ``bad_frame`` only for words that do not exist.
"""

from __future__ import annotations

from folkmoot.domain.calls import CallEnd, CallId
from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import ZERO, DeviceId, PersonId
from folkmoot.protocol import frames
from folkmoot.protocol.calls.book import MAX_ROOMS, Book
from folkmoot.protocol.calls.effects import Inked, Reacted, Send, Told
from folkmoot.protocol.calls.legs import Legs
from folkmoot.protocol.calls.room import JOINED, LEFT, STATES, Room, Stand
from folkmoot.protocol.calls.settle import Settling

INK_ACTIONS = frozenset(("point", "gone", "stroke", "clear"))
ACTIONS = frozenset(("mute", "remove", "lock", "unlock", "end"))


class Hearing:
    """Takes the frames of linked devices."""

    def __init__(self, book: Book, legs: Legs, settling: Settling) -> None:
        self._book = book
        self._legs = legs
        self._settling = settling

    def state(self, device: DeviceId, frame: frames.CallState) -> None:
        """A device says how it stands in a call."""
        if frame.state not in STATES:
            raise PeerError("bad_frame", "This state in a call does not exist.")
        person = self._book.links.get(device)
        if person is None or frame.sequence <= self._book.heard.get(device, -1):
            return
        self._book.heard[device] = frame.sequence
        rights, conversation = self._book.rights, frame.conversation
        seen = rights.may_see(conversation, person) and rights.may_see(conversation, self._book.me)
        call = CallId(frame.call)
        if not seen or call in self._book.closed:
            return
        room = self._book.rooms.get(call)
        if room is not None and room.conversation != conversation:
            return
        if frame.state == JOINED:
            self._joined(device, person, frame, room)
        elif room is not None:
            self._not_joined(device, person, frame, room)

    def _joined(
        self, device: DeviceId, person: PersonId, frame: frames.CallState, room: Room | None
    ) -> None:
        self._left_others(device, frame)
        if room is None:
            if len(self._book.rooms) >= MAX_ROOMS:
                return
            room = self._open(frame, person)
        if not self._admits(room, device, person):
            return
        now = self._book.now
        stand = room.others.get(device)
        new = stand is None or stand.state != JOINED
        if stand is None or new:
            stand = room.others[device] = Stand(device, person, JOINED, now, now)
            self._repeat_acts(room, device)
        me = self._book.me
        if not new and me in frame.rings and me not in stand.rings:
            self._rung_again(room)
        changed = new or (stand.flags, stand.rings) != (frame.flags, frozenset(frame.rings))
        stand.flags, stand.rings = frame.flags, frozenset(frame.rings)
        stand.said_at, stand.down_at = now, None
        if changed:
            self._book.changed(room)
        self._settling.settle_conversation(room.conversation)

    def _rung_again(self, room: Room) -> None:
        """Somebody in the call wants this person after all: who said no is not asked again."""
        if room.own is not None and room.own.state == LEFT:
            room.own = None
        if room.own is None:
            room.ring_over, room.rung_at = False, None

    def _open(self, frame: frames.CallState, person: PersonId) -> Room:
        host = frame.started_by
        if not self._book.rights.may_see(frame.conversation, host):
            host = person
        call = CallId(frame.call)
        video = bool(frame.flags & frames.CALL_VIDEO)
        room = Room(call, frame.conversation, video, host, frame.started_ms)
        self._book.rooms[call] = room
        return room

    def _admits(self, room: Room, device: DeviceId, person: PersonId) -> bool:
        if person in room.removed or device in room.refused:
            return False
        stand = room.others.get(device)
        if stand is not None and stand.state == JOINED:
            return True
        if room.joined and room.locked and person != self._book.me:
            return False
        return not room.is_full()

    def _left_others(self, device: DeviceId, frame: frames.CallState) -> None:
        """A device is in one call only."""
        for other in list(self._book.rooms.values()):
            if other.id != frame.call and device in other.others:
                self._settling.gone(other, device, by_word=True)
                self._settling.settle(other)

    def _not_joined(
        self, device: DeviceId, person: PersonId, frame: frames.CallState, room: Room
    ) -> None:
        stand = room.others.get(device)
        if frame.state == LEFT:
            if stand is not None:
                self._settling.gone(room, device, by_word=True)
        else:
            if stand is None and len(room.others) >= MAX_ROOMS:
                return
            if stand is None or stand.state != frame.state:
                now = self._book.now
                room.others[device] = Stand(device, person, frame.state, now, now)
                self._book.changed(room)
        self._settling.settle(room)

    def _repeat_acts(self, room: Room, device: DeviceId) -> None:
        for person in room.my_acts:
            self._book.do(Send(device, frames.CallAct(room.id, "remove", person)))

    # --- acts --------------------------------------------------------------------------------

    def act(self, device: DeviceId, frame: frames.CallAct) -> None:
        """Somebody controls the call. Without the right nothing happens."""
        if frame.action not in ACTIONS:
            raise PeerError("bad_frame", "This act in a call does not exist.")
        room = self._book.rooms.get(CallId(frame.call))
        person = self._book.links.get(device)
        if room is None or person is None or not self._book.controls(room, person):
            return
        if not self._book.rights.may_see(room.conversation, person) or person in room.removed:
            return
        self.apply(room, person, frame.action, frame.person)

    def apply(self, room: Room, actor: PersonId, action: str, person: PersonId) -> None:
        """Do what `actor`, who may, wants."""
        if action == "end":
            self._book.close(room.id)
            self._settling.leave(room, CallEnd.ENDED_FOR_ALL, writes=actor == self._book.me)
            self._settling.close(room, CallEnd.ENDED_FOR_ALL)
        elif action == "remove":
            self._remove(room, actor, person)
        elif action == "mute":
            if room.joined and actor != self._book.me and person in (self._book.me, ZERO):
                self._mute(room, actor)
        elif room.joined and room.locked != (action == "lock"):
            room.locked = action == "lock"
            self._book.announce(room)
            self._book.changed(room)

    def _mute(self, room: Room, actor: PersonId) -> None:
        own = room.own
        if own is not None and own.microphone:
            own.microphone = False
            self._book.announce(room)
            self._book.changed(room)
            self._book.do(Told(room, "muted", actor))

    def _remove(self, room: Room, actor: PersonId, person: PersonId) -> None:
        if not self.may_remove(room, actor, person):
            return
        if len(room.removed) < MAX_ROOMS:
            room.removed.add(person)
        if person == self._book.me:
            self._settling.leave(room, CallEnd.REMOVED, writes=False)
        for stand in list(room.stands_of(person)):
            self._settling.gone(room, stand.device)
        self._book.changed(room)
        self._settling.settle(room)

    def may_remove(self, room: Room, actor: PersonId, person: PersonId) -> bool:
        """Admins are removed by admins only, and nobody by themself."""
        is_admin = self._book.rights.is_admin
        above = is_admin(room.conversation, person) and not is_admin(room.conversation, actor)
        return person not in (actor, ZERO) and not above

    def react(self, device: DeviceId, frame: frames.CallReact) -> None:
        """Somebody shows an emoji; too many are dropped."""
        room = self._book.own_room()
        stand = None if room is None else room.others.get(device)
        if room is None or stand is None or room.id != frame.call or stand.state != JOINED:
            return
        if stand.reactions.take(self._book.now):
            self._book.do(Reacted(room, stand.person, frame.emoji))

    def ink(self, device: DeviceId, frame: frames.CallInk) -> None:
        """Somebody points or draws. Only in our call, on what is shared there; too much is dropped.

        `clear` counts from the presenter alone.
        """
        if not is_ink(frame.action, frame.places):
            raise PeerError("bad_frame", "This cannot be pointed at or drawn.")
        room = self._book.own_room()
        stand = None if room is None else room.others.get(device)
        if room is None or stand is None or room.id != frame.call or stand.state != JOINED:
            return
        presenter = DeviceId(frame.presenter)
        ours = presenter == self._book.device and room.own is not None and room.own.screen
        if not (ours or room.shares(presenter)):
            return
        if frame.action == "clear" and presenter != device:
            return
        if stand.ink.take(frame.action, self._book.now):
            told = (frame.action, frame.stroke, frame.places)
            self._book.do(Inked(room, presenter, device, stand.person, *told))


def is_ink(action: str, places: tuple[int, ...]) -> bool:
    """Whether these belong together: one place for a pointer, whole places for a stroke."""
    if action == "point":
        return len(places) == 2
    if action == "stroke":
        return len(places) >= 2 and len(places) % 2 == 0
    return action in INK_ACTIONS and not places
