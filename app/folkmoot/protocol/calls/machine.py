"""The machine of calls as one thing: each input gives the effects that follow from it."""

from __future__ import annotations

from collections.abc import Callable

from folkmoot.domain.calls import CallEnd, CallId
from folkmoot.domain.ids import ConversationId, DeviceId, PersonId
from folkmoot.protocol import frames
from folkmoot.protocol.calls.acting import Acting
from folkmoot.protocol.calls.book import Book
from folkmoot.protocol.calls.effects import Effect
from folkmoot.protocol.calls.hearing import Hearing
from folkmoot.protocol.calls.legs import Legs
from folkmoot.protocol.calls.room import Rights, Room
from folkmoot.protocol.calls.settle import Settling


class Calls:
    """All calls that this device knows of. `now` never goes back.

    Call `begin(now)`, then one input, then do what `take()` gives.
    """

    def __init__(
        self, me: PersonId, device: DeviceId, rights: Rights, is_dnd: Callable[[], bool]
    ) -> None:
        """`is_dnd`: whether this person wants no rings now."""
        self._book = Book(me, device, rights, is_dnd)
        self.legs = Legs(self._book)
        self._settling = Settling(self._book, self.legs)
        self.hearing = Hearing(self._book, self.legs, self._settling)
        self.acting = Acting(self._book, self.hearing, self._settling)

    def begin(self, now: float) -> None:
        """It is `now`."""
        self._book.now = max(self._book.now, now)

    def take(self) -> list[Effect]:
        """What is to be done since the last time, in order."""
        return self._book.take()

    def rooms(self) -> list[Room]:
        """Every call, hiding those that are about to merge into another."""
        shown: dict[ConversationId, Room] = {}
        for room in sorted(self._book.rooms.values(), key=lambda r: (not r.joined, r.id)):
            shown.setdefault(room.conversation, room)
        return sorted(shown.values(), key=lambda room: room.id)

    def room(self, call: CallId) -> Room | None:
        """One call."""
        return self._book.rooms.get(call)

    def own_room(self) -> Room | None:
        """The call that this device is in."""
        return self._book.own_room()

    def controls(self, room: Room, person: PersonId) -> bool:
        """Whether a person may mute, remove, lock and end there."""
        return self._book.controls(room, person)

    def is_locked(self, room: Room) -> bool:
        """Whether newcomers are refused."""
        return self._book.is_locked(room)

    def is_linked(self, person: PersonId) -> bool:
        """Whether a device of the person is linked."""
        return person in self._book.links.values()

    # --- links -------------------------------------------------------------------------------

    def link_up(self, device: DeviceId, person: PersonId) -> None:
        """A device is linked: it is told all, and what it says counts from now on."""
        if device == self._book.device:
            return
        self._book.links[device] = person
        self._book.heard.pop(device, None)
        for room in self._book.rooms.values():
            stand = room.others.get(device)
            if stand is not None:
                stand.down_at, stand.said_at = None, self._book.now
            if room.own is not None and person in room.own.rings:
                self._book.changed(room)
        self._book.tell(device)
        self.legs.link_up(device)

    def link_down(self, device: DeviceId) -> None:
        """A device is not linked any more; while media flows it stays in the call."""
        person = self._book.links.pop(device, None)
        for room in self._book.rooms.values():
            stand = room.others.get(device)
            if stand is not None:
                stand.down_at = self._book.now
            if room.own is not None and person in room.own.rings:
                self._book.changed(room)

    def rights_changed(self) -> None:
        """Look again who may know of which call."""
        rights, me = self._book.rights, self._book.me
        for room in list(self._book.rooms.values()):
            if not rights.may_see(room.conversation, me):
                self._settling.leave(room, CallEnd.REMOVED, writes=False)
                self._settling.close(room, CallEnd.REMOVED)
                continue
            for stand in list(room.others.values()):
                if not rights.may_see(room.conversation, stand.person):
                    self._settling.gone(room, stand.device)
            self._settling.settle(room)

    def take_frame(self, device: DeviceId, frame: frames.Frame) -> None:
        """One of the frames of calls; raises `PeerError` ``bad_frame``."""
        match frame:
            case frames.CallState():
                self.hearing.state(device, frame)
            case frames.CallOffer():
                self.legs.offered(device, frame)
            case frames.CallAnswer():
                self.legs.answered(device, frame)
            case frames.CallAgain():
                self.legs.again(device, frame)
            case frames.CallAct():
                self.hearing.act(device, frame)
            case frames.CallReact():
                self.hearing.react(device, frame)
            case frames.CallInk():
                self.hearing.ink(device, frame)

    # --- media and time ----------------------------------------------------------------------

    def described(self, device: DeviceId, connection: int, kind: str, sdp: str) -> None:
        """The media process described our side."""
        self.legs.described(device, connection, kind, sdp)

    def path(self, device: DeviceId, connection: int, state: str) -> None:
        """The media process says how a connection is; `state` as in `media_port.PathChanged`."""
        self.legs.path(device, connection, state)

    def no_media(self) -> None:
        """The media process cannot be kept running: leave."""
        room = self._book.own_room()
        if room is not None:
            self._settling.leave(room, CallEnd.NO_MEDIA)

    def tick(self) -> None:
        """Time has passed: call it a few times a second while there is a call."""
        for room in list(self._book.rooms.values()):
            if not room.over:
                self._settling.tick(room)
