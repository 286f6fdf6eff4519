"""Connections of media to the others in our call: made, made anew when silent, and ended.

Of two devices the one with the lower id offers. Numbers grow; what belongs to an older connection
is dropped. Refuses descriptions from whoever is not in our call with us, and more of them than an
honest device sends.
"""

from __future__ import annotations

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol import frames
from folkmoot.protocol.calls.book import Book
from folkmoot.protocol.calls.effects import Connect, Describe, Disconnect, Redial, Send
from folkmoot.protocol.calls.room import Leg, Room

MAX_BACKOFF_S = 8.0
GOOD_AFTER_S = 10.0
_ALIVE, _DEAD = ("connected", "flowing"), ("silent", "failed", "closed")


class Legs:
    """The connections of the call that this device is in."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def match(self, room: Room) -> None:
        """A connection to everybody who is there, and to nobody else."""
        wanted = {stand.device for stand in room.present()} if room.joined else set()
        for device in [device for device in room.legs if device not in wanted]:
            del room.legs[device]
            self._book.do(Disconnect(device))
        for device in sorted(wanted - room.legs.keys()):
            leg = Leg(device, self._book.device < device, silent_at=self._book.now)
            leg.tried_at = self._book.now
            room.legs[device] = leg
            if leg.offers:
                self._make(leg)

    def end_all(self, room: Room) -> None:
        """We are not in it any more."""
        for device in room.legs:
            self._book.do(Disconnect(device))
        room.legs.clear()

    # --- from the media ----------------------------------------------------------------------

    def described(self, device: DeviceId, connection: int, kind: str, sdp: str) -> None:
        """Our description is ready: pass it on, if it is still the newest."""
        room, leg = self._find(device)
        if room is None or leg is None or connection != leg.connection or not frames.is_sdp(sdp):
            return
        if kind == "offer" and leg.offers:
            self._book.do(Send(device, frames.CallOffer(room.id, connection, sdp)))
        elif kind == "answer" and not leg.offers:
            self._book.do(Send(device, frames.CallAnswer(room.id, connection, sdp)))

    def path(self, device: DeviceId, connection: int, state: str) -> None:
        """Media flows over a connection, or does not."""
        room, leg = self._find(device)
        if room is None or leg is None or not 0 < connection <= leg.connection:
            return
        before = leg.state
        if state in _ALIVE:
            leg.alive.add(connection)
            leg.was_alive = True
            leg.moved = leg.moved and connection != leg.connection
            leg.wait_s = min(leg.wait_s, leg.backoff_s)  # the patience of a first try is over
            leg.good_at = leg.good_at if leg.good_at is not None else self._book.now
        elif state in _DEAD:
            was = bool(leg.alive)
            leg.alive.discard(connection)
            if not leg.alive and (was or connection == leg.connection):
                self._went_silent(room, leg, was)
        if leg.state is not before:
            self._book.changed(room)

    def broken(self, device: DeviceId) -> None:
        """A device sent what nobody may send: it is out, here, for this call."""
        room, leg = self._find(device)
        if room is not None and leg is not None:
            del room.legs[device]
            room.refused.add(device)
            self._book.drop(room, device)
            self._book.do(Disconnect(device))
            self._book.changed(room)

    def media_lost(self) -> None:
        """Every connection is lost: the next for each, at once."""
        room = self._book.own_room()
        if room is None:
            return
        for leg in room.legs.values():
            leg.alive.clear()
            leg.silent_at, leg.good_at, leg.backoff_s = self._book.now, None, 1.0
            self._again(room, leg)
        self._book.changed(room)

    def moved(self) -> None:
        """An address of ours is gone: do not wait for silence, make the next beside what flows."""
        room = self._book.own_room()
        if room is None:
            return
        for leg in room.legs.values():
            leg.moved, leg.backoff_s = True, 1.0
            self._again(room, leg)

    def renew(self, device: DeviceId) -> None:
        """What its connection works with ends soon: make the next beside it."""
        room, leg = self._find(device)
        if room is not None and leg is not None and leg.alive and self._is_time(leg):
            self._again(room, leg)

    # --- from the other side -----------------------------------------------------------------

    def offered(self, device: DeviceId, frame: frames.CallOffer) -> None:
        """A new connection, if it is newer than what we have."""
        room, leg = self._of_call(device, frame.call)
        if room is None or leg is None or leg.offers or not leg.taken.take(self._book.now):
            return
        if frame.connection <= leg.connection:
            if not leg.alive:
                self._book.do(Send(device, frames.CallAgain(room.id, leg.connection)))
            return
        leg.connection, leg.tried_at = frame.connection, self._book.now
        self._book.do(
            Connect(device, frame.connection, False),
            Describe(device, frame.connection, "offer", frame.sdp),
        )

    def answered(self, device: DeviceId, frame: frames.CallAnswer) -> None:
        """The answer to our newest offer; a second one is dropped."""
        _, leg = self._of_call(device, frame.call)
        if leg is None or not leg.offers or leg.answered or frame.connection != leg.connection:
            return
        leg.answered = True
        self._book.do(Describe(device, frame.connection, "answer", frame.sdp))

    def again(self, device: DeviceId, frame: frames.CallAgain) -> None:
        """The other side hears nothing over that connection."""
        room, leg = self._of_call(device, frame.call)
        if room is None or leg is None or not leg.offers:
            return
        # Of an older connection: our newest offer may be under way, or lost.
        if frame.connection < frames.MAX_CONNECTION and self._is_time(leg):
            leg.connection = max(leg.connection, frame.connection)
            self._again(room, leg)

    def link_up(self, device: DeviceId) -> None:
        """Descriptions pass again: try at once if nothing flows, or will not for long."""
        room, leg = self._find(device)
        if room is not None and leg is not None and (leg.moved or not leg.alive):
            leg.moved = False
            self._again(room, leg)

    def tick(self, room: Room) -> None:
        """Try again where nothing flows."""
        for leg in room.legs.values():
            if leg.alive:
                continue
            if leg.was_alive:
                self._book.do(Redial(leg.device))
            if self._is_time(leg):
                self._again(room, leg)

    # --- inner -------------------------------------------------------------------------------

    def _went_silent(self, room: Room, leg: Leg, was: bool) -> None:
        if was:
            leg.silent_at = self._book.now
            if leg.good_at is not None and self._book.now - leg.good_at > GOOD_AFTER_S:
                leg.backoff_s = 1.0
            leg.good_at = None
        self._book.do(Redial(leg.device))
        if self._is_time(leg):
            self._again(room, leg)

    def _is_time(self, leg: Leg) -> bool:
        return self._book.now >= leg.tried_at + leg.wait_s

    def _again(self, room: Room, leg: Leg) -> None:
        if self._book.now > leg.tried_at:
            leg.wait_s, leg.backoff_s = leg.backoff_s, min(MAX_BACKOFF_S, leg.backoff_s * 2)
        leg.tried_at = self._book.now
        if leg.offers:
            self._make(leg)
        else:
            self._book.do(Send(leg.device, frames.CallAgain(room.id, leg.connection)))

    def _make(self, leg: Leg) -> None:
        if leg.connection < frames.MAX_CONNECTION:
            leg.connection += 1
            leg.answered = False
            self._book.do(Connect(leg.device, leg.connection, True))

    def _find(self, device: DeviceId) -> tuple[Room | None, Leg | None]:
        room = self._book.own_room()
        return room, None if room is None else room.legs.get(device)

    def _of_call(self, device: DeviceId, call: bytes) -> tuple[Room | None, Leg | None]:
        room, leg = self._find(device)
        return (room, leg) if room is not None and room.id == call else (None, None)
