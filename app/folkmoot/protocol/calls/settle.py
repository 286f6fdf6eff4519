"""What follows in a room after anything changed: rings, merging of two calls, ends.

Each rule looks at the state as it is, so that it does not matter in which order things were heard.
"""

from __future__ import annotations

from folkmoot.domain.calls import CallEnd
from folkmoot.domain.ids import ZERO, ConversationId, DeviceId, PersonId
from folkmoot.protocol import frames
from folkmoot.protocol.calls.book import Book
from folkmoot.protocol.calls.effects import Finished, Started, Told
from folkmoot.protocol.calls.legs import Legs
from folkmoot.protocol.calls.room import (
    BUSY,
    DECLINED,
    JOINED,
    LEFT,
    MAX_PARTICIPANTS,
    RING_S,
    Own,
    Room,
    Stand,
)

GONE_IN_CALL_S = 30.0
GONE_OUTSIDE_S = 10.0
UNHEARD_S = 12.0
"""A linked device that says nothing of its call for so long is not in it."""
ANSWERS_SEEN_S = 6.0
"""How long the answers of those who were rung in a larger call are shown."""
UNREACHABLE_S = 5.0
"""How long a call rings when nobody of those who are rung is linked."""
STARTED_AFTER_S = 2.0
"""A call that merged into another one by then was never there: it is not written down."""
NEWCOMER_S = 10.0
AT_ONCE_S = 1.5


class Settling:
    """The rules of rooms."""

    def __init__(self, book: Book, legs: Legs) -> None:
        self._book = book
        self._legs = legs

    def settle(self, room: Room) -> None:
        """Apply every rule to a room. Again changes nothing."""
        if room.over:
            return
        self._merge(room)
        if room.over:
            return
        self._refuse_ourselves(room)
        self._legs.match(room)
        self._company(room)
        self._log_start(room)
        self._ring_out(room)
        self._ring_here(room)
        self._look_if_empty(room)

    def settle_conversation(self, conversation: ConversationId) -> None:
        """Apply the rules to every call of a conversation."""
        for room in self._book.in_conversation(conversation):
            self.settle(room)

    # --- leaving -----------------------------------------------------------------------------

    def leave(self, room: Room, end: CallEnd, *, writes: bool = True) -> None:
        """This device goes; `writes`: its part of the log too, if nobody is left."""
        own = room.own
        if own is None or own.state != JOINED:
            return
        last = not room.present()
        hung_up = end in (CallEnd.LEFT, CallEnd.NO_MEDIA)
        pair = hung_up and self._book.rights.is_pair(room.conversation)
        own.state, own.rings, own.hand = LEFT, (), False
        own.microphone = own.camera = False
        own.screen = own.paused = own.recording = False
        room.left_at, room.locked = self._book.now, False
        self._book.announce(room)
        self._legs.end_all(room)
        self._book.end(room, end)
        if writes and (last or pair or end is CallEnd.ENDED_FOR_ALL):
            self._finish(room)
        self._look_if_empty(room)

    def _finish(self, room: Room) -> None:
        self._log_start(room, now=True)
        known = [at for at in (room.talk_since, room.others_since) if at is not None]
        seconds = max(1, int(self._book.now - min(known))) if known else 0
        persons = tuple(sorted(room.persons))
        self._book.do(Finished(room, persons, seconds))

    def close(self, room: Room, end: CallEnd | None) -> None:
        """The call is over."""
        self._legs.end_all(room)
        if room.end is None:
            missed = room.rung_at is not None and not room.took_part
            room.end = CallEnd.MISSED if missed else CallEnd.LEFT
        if end is not None:
            room.end = end
        room.over = True
        self._book.rooms.pop(room.id, None)
        self._book.changed(room)

    def _look_if_empty(self, room: Room) -> None:
        if room.over or room.joined or room.present():
            return
        # Who left at the same moment thought of us what we thought of them: both write it down.
        left_at = room.left_at
        if room.end is CallEnd.LEFT and left_at is not None and self._book.now > left_at:
            pair = self._book.rights.is_pair(room.conversation)
            if not pair and self._book.now - left_at < AT_ONCE_S:
                self._finish(room)
        self.close(room, None)

    # --- two calls in one conversation -------------------------------------------------------

    def _merge(self, room: Room) -> None:
        """Go over to the call with the smallest id."""
        rooms = self._book.in_conversation(room.conversation)
        mine = next((one for one in rooms if one.joined), None)
        if mine is None or mine.own is None:
            return
        for other in rooms:
            if other.id >= mine.id:
                return
            if not other.present() or other.is_full():
                continue
            if self._is_closed_to_us(other) or self._book.is_ending(other):
                continue
            if not self._book.moves.take(self._book.now):
                return
            self._move(mine, mine.own, other)
            return

    def _move(self, old: Room, own: Own, new: Room) -> None:
        taken = Own(
            JOINED,
            self._book.now,
            own.microphone,
            own.camera,
            own.hand,
            rings=own.rings,
            ring_until=own.ring_until,
        )
        self.leave(old, CallEnd.MERGED, writes=old.logged)
        self.enter(new, taken)

    def enter(self, room: Room, own: Own) -> None:
        """This device joins a room."""
        room.own, room.end, room.left_at = own, None, None
        room.ring_over = room.took_part = True
        room.persons |= {self._book.me, *(stand.person for stand in room.present())}
        room.locked = False
        self._book.announce(room)
        self._book.changed(room)
        self.settle(room)

    def _is_closed_to_us(self, room: Room) -> bool:
        return self._book.me in room.removed or self._book.is_locked(room)

    def _refuse_ourselves(self, room: Room) -> None:
        """A newcomer to a locked or full room, who could not know it, goes again."""
        own = room.own
        if own is None or not room.joined:
            return
        new = self._book.now - own.since < NEWCOMER_S
        if new and len(room.present()) >= MAX_PARTICIPANTS:
            self._book.do(Told(room, "full", PersonId(ZERO)))
            self.leave(room, CallEnd.LOCKED)
            return
        says = [s for s in room.present() if self._book.controls(room, s.person)]
        locked = bool(says) and all(stand.flags & frames.CALL_LOCKED for stand in says)
        if room.locked or not locked:
            return
        if any(leg.was_alive for leg in room.legs.values()):
            room.locked = True  # we were in it already and missed the word
            self._book.announce(room)
        elif not new:
            self.leave(room, CallEnd.LOCKED)

    # --- company and the log -----------------------------------------------------------------

    def _company(self, room: Room) -> None:
        present = room.present()
        if room.talk_since is None and any(leg.was_alive for leg in room.legs.values()):
            room.talk_since = self._book.now
        if room.others_since is None and len({stand.person for stand in present}) > 1:
            room.others_since = self._book.now
        room.persons |= {stand.person for stand in present}
        if room.own is None or not room.joined:
            return
        if present:
            room.own.company = True
        elif room.own.company and self._book.rights.is_pair(room.conversation):
            # The other one hung up and wrote it down; one that vanished wrote nothing.
            self.leave(room, CallEnd.LEFT, writes=not room.left_by_word)

    def _log_start(self, room: Room, *, now: bool = False) -> None:
        own = room.own
        if not room.started_here or room.logged or own is None:
            return
        if now or own.company or self._book.now - own.since >= STARTED_AFTER_S:
            room.logged = True
            self._book.do(Started(room))

    # --- ringing -----------------------------------------------------------------------------

    def _ring_out(self, room: Room) -> None:
        """We ring others: look what they answered, and whether it is over."""
        own = room.own
        if own is None or not room.joined or not own.rings:
            return
        waits = room.waits_for()
        linked = set(self._book.links.values())
        own.linked_once = own.linked_once or any(person in linked for person in own.rings)
        pair = self._book.rights.is_pair(room.conversation)
        if not waits and not pair:
            own.ring_until = min(own.ring_until, self._book.now + ANSWERS_SEEN_S)
        if self._book.now >= own.ring_until or (pair and not waits):
            self._give_up(room, own, self._unanswered(room, own))
        elif not own.linked_once and self._book.now - own.since >= UNREACHABLE_S:
            self._give_up(room, own, CallEnd.UNREACHABLE)

    def _give_up(self, room: Room, own: Own, end: CallEnd) -> None:
        """Stop ringing. A call of two is over then; elsewhere somebody may still come."""
        if self._book.rights.is_pair(room.conversation) and not own.company:
            self.leave(room, end)
        elif end is not CallEnd.UNREACHABLE or self._book.now >= own.ring_until:
            own.rings = ()
            self._book.announce(room)
            self._book.changed(room)

    def _unanswered(self, room: Room, own: Own) -> CallEnd:
        answers = {room.answer_of(person) for person in own.rings}
        if answers <= {BUSY}:
            return CallEnd.BUSY
        if answers <= {BUSY, DECLINED}:
            return CallEnd.DECLINED
        return CallEnd.NO_ANSWER if own.linked_once else CallEnd.UNREACHABLE

    def _ring_here(self, room: Room) -> None:
        """Others ring this person: begin, or end."""
        if room.ring_over or room.own is not None:
            return
        rung = any(self._book.me in stand.rings for stand in room.present())
        if room.answer_of(self._book.me) in (JOINED, DECLINED):
            if room.rung_at is not None or rung:
                self._end_ring(room, CallEnd.ELSEWHERE)
        elif room.rung_at is None:
            if rung and self._is_smallest(room):
                self._begin_ring(room)
        elif not self._is_smallest(room):
            self._end_ring(room, CallEnd.MERGED)
        elif room.present() and (not rung or self._book.now - room.rung_at >= RING_S):
            self._end_ring(room, CallEnd.MISSED)

    def _begin_ring(self, room: Room) -> None:
        if self._book.is_dnd():
            room.ring_over = True
            room.rung_at = self._book.now
            room.own = Own(BUSY, self._book.now)
            self._book.announce(room)
            self._book.end(room, CallEnd.MISSED)
        elif not self._book.may_ring(next(iter(room.present())).person):
            room.ring_over = True
        else:
            room.rung_at = self._book.now
            self._book.changed(room)

    def _end_ring(self, room: Room, end: CallEnd) -> None:
        room.ring_over = True
        self._book.end(room, end)

    def _is_smallest(self, room: Room) -> bool:
        rooms = [r for r in self._book.in_conversation(room.conversation) if r.present()]
        return not rooms or rooms[0] is room

    # --- time --------------------------------------------------------------------------------

    def tick(self, room: Room) -> None:
        """Who is gone without a word, what is to be said again, and every rule anew."""
        for stand in list(room.others.values()):
            if self._is_gone(room, stand):
                self.gone(room, stand.device)
        if room.own is not None:
            self._book.repeat(room, room.own)
        self._legs.tick(room)
        self.settle(room)

    def gone(self, room: Room, device: DeviceId, *, by_word: bool = False) -> None:
        """A device is not in the room any more, by its word or for want of one."""
        room.left_by_word = by_word
        self._book.drop(room, device)
        self._book.changed(room)

    def _is_gone(self, room: Room, stand: Stand) -> bool:
        now = self._book.now
        if stand.state != JOINED:
            return False
        leg = room.legs.get(stand.device)
        if leg is not None and leg.alive:
            return False
        silent_at = leg.silent_at if leg is not None else 0.0
        if stand.down_at is not None:
            life_s = GONE_IN_CALL_S if leg is not None else GONE_OUTSIDE_S
            return now - max(stand.down_at, silent_at) >= life_s
        return now - max(stand.said_at, silent_at) >= UNHEARD_S
