"""What this person does in calls. Refuses what cannot be done, in words."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot.domain.calls import CallEnd, CallId
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ZERO, ConversationId, DeviceId, PersonId
from folkmoot.protocol import frames
from folkmoot.protocol.calls.book import Book
from folkmoot.protocol.calls.effects import Announce, Declined, Inked, Reacted, Send
from folkmoot.protocol.calls.hearing import Hearing, is_ink
from folkmoot.protocol.calls.room import DECLINED, JOINED, RING_S, Own, Room
from folkmoot.protocol.calls.settle import Settling

MAX_PLACES = 128
"""Numbers in one frame: x and y of 64 places."""
_NOBODY = PersonId(ZERO)


class Acting:
    """The acts of the person on this device."""

    def __init__(self, book: Book, hearing: Hearing, settling: Settling) -> None:
        self._book = book
        self._hearing = hearing
        self._settling = settling

    def get(self, call: CallId) -> Room:
        """A call that is known; raises `UserError` ``not_found``."""
        room = self._book.rooms.get(call)
        if room is None:
            raise UserError("not_found", "This call is over.")
        return room

    def joined(self, call: CallId) -> Room:
        """A call that this device is in; raises `UserError` ``not_in_call``."""
        room = self._book.rooms.get(call)
        if room is None or not room.joined:
            raise UserError("not_in_call", "You are not in this call.", "Join it first.")
        return room

    def start(
        self, call: CallId, conversation: ConversationId, *, video: bool, ring: bool, wall_ms: int
    ) -> Room:
        """Start a call, or join the one that runs there. Raises `UserError` ``not_found``."""
        if not self._book.rights.may_see(conversation, self._book.me):
            raise UserError("not_found", "There is no such conversation.")
        for running in self._book.in_conversation(conversation):
            if running.joined:
                return running
            if self._book.me in running.removed or self._book.is_ending(running):
                continue
            if running.present():
                return self.join(running.id, microphone=True, camera=video)
        self._leave_other(None)
        room = Room(call, conversation, video, self._book.me, wall_ms, started_here=True)
        self._book.rooms[call] = room
        rings = self._whom(conversation) if ring else ()
        until = self._book.now + RING_S
        own = Own(JOINED, self._book.now, True, video, rings=rings, ring_until=until)
        self._settling.enter(room, own)
        return room

    def _whom(self, conversation: ConversationId) -> tuple[PersonId, ...]:
        """Whom to ring: those who are linked come first when there are too many."""
        linked = set(self._book.links.values())
        others = self._book.rights.persons_of(conversation) - {self._book.me}
        ranked = sorted(others, key=lambda person: (person not in linked, person))
        return tuple(sorted(ranked[: frames.MAX_RINGS]))

    def ring(self, call: CallId, persons: Sequence[PersonId]) -> None:
        """Ring persons who are not in it. Raises `UserError` ``not_in_call``, ``not_found``."""
        room = self.joined(call)
        assert room.own is not None
        there = {stand.person for stand in room.present()}
        may = self._book.rights.persons_of(room.conversation) - there - room.removed
        asked = [person for person in persons if person in may and person != self._book.me]
        if not asked:
            raise UserError("not_found", "There is nobody to ring.")
        rung = {*asked, *room.waits_for()}
        room.own.rings = tuple(sorted(rung)[: frames.MAX_RINGS])
        room.own.ring_until = self._book.now + RING_S
        room.own.linked_once = False
        self._book.announce(room)
        self._book.changed(room)

    def join(self, call: CallId, *, microphone: bool, camera: bool) -> Room:
        """Answer or join. Raises `UserError` ``not_found``, ``locked``, ``full``, ``removed``."""
        room = self.get(call)
        if room.joined:
            return room
        if self._book.me in room.removed:
            raise UserError("removed", "You were removed from this call.")
        if self._book.is_locked(room):
            raise UserError("locked", "This call is locked.", "Ask somebody in it to unlock it.")
        if room.is_full():
            raise UserError("full", "This call is full: 25 computers are in it.")
        self._leave_other(room)
        self._settling.enter(room, Own(JOINED, self._book.now, microphone, camera))
        return room

    def _leave_other(self, room: Room | None) -> None:
        other = self._book.own_room()
        if other is not None and other is not room:
            self._settling.leave(other, CallEnd.LEFT)

    def decline(self, call: CallId) -> Room:
        """Say no to a ring. In a call that one is in it is leaving."""
        room = self.get(call)
        if room.joined:
            return self.leave(call)
        if room.rings_here:
            self._book.do(Declined(room))
        room.own = Own(DECLINED, self._book.now)
        room.ring_over = True
        self._book.announce(room)
        self._book.end(room, CallEnd.DECLINED)
        self._settling.settle(room)
        return room

    def leave(self, call: CallId, end: CallEnd = CallEnd.LEFT) -> Room:
        """Go; alone and ringing that cancels the call."""
        room = self.joined(call)
        self._settling.leave(room, end)
        return room

    def set_flag(self, call: CallId, flag: str, on: bool) -> None:
        """Switch ``microphone``, ``camera``, ``hand``, ``screen``, ``paused`` or ``recording``."""
        room = self.joined(call)
        if room.own is not None and getattr(room.own, flag) != on:
            setattr(room.own, flag, on)
            self._book.announce(room)
            self._book.changed(room)

    def act(self, call: CallId, action: str, person: PersonId = _NOBODY) -> None:
        """Control the call. Raises `UserError` ``not_in_call``, ``forbidden``."""
        room = self.joined(call)
        if not self._book.controls(room, self._book.me):
            raise UserError(
                "forbidden", "Only who started the call, or an admin of the team, can do this."
            )
        if action == "remove":
            if not self._hearing.may_remove(room, self._book.me, person):
                raise UserError("forbidden", "An admin of the team can be removed by admins only.")
            room.my_acts.add(person)
        self._book.do(Announce(room.conversation, frames.CallAct(room.id, action, person)))
        self._hearing.apply(room, self._book.me, action, person)

    def react(self, call: CallId, emoji: str) -> None:
        """Show an emoji to all in the call; raises `UserError` ``too_fast``."""
        room = self.joined(call)
        if not self._book.reactions.take(self._book.now):
            raise UserError("too_fast", "That is too fast.", "Wait a second.")
        frame = frames.CallReact(room.id, emoji)
        self._book.do(*(Send(stand.device, frame) for stand in room.present()))
        self._book.do(Reacted(room, self._book.me, emoji))

    def ink(
        self, call: CallId, presenter: DeviceId, action: str, stroke: int, places: tuple[int, ...]
    ) -> None:
        """Point or draw on what `presenter` shares, as `frames.CallInk`; too fast: nothing happens.

        Raises `UserError` ``not_in_call``, ``bad_ink``, ``not_shared``, ``forbidden``.
        """
        room = self.joined(call)
        mine = presenter == self._book.device
        if not is_ink(action, places) or len(places) > MAX_PLACES or stroke < 0:
            raise UserError("bad_ink", "This cannot be pointed at or drawn.")
        if not (room.own is not None and room.own.screen if mine else room.shares(presenter)):
            raise UserError("not_shared", "Nothing is shared there any more.")
        if action == "clear" and not mine:
            raise UserError("forbidden", "Only who shares the screen can clear the drawings.")
        if not self._book.ink.take(action, self._book.now):
            return
        frame = frames.CallInk(room.id, presenter, action, stroke, places)
        self._book.do(*(Send(stand.device, frame) for stand in room.present()))
        told = (self._book.device, self._book.me, action, stroke, places)
        self._book.do(Inked(room, presenter, *told))
