"""Who is under which tag. Pure and bounded: per device, per room, per address and overall."""

from __future__ import annotations

from typing import Generic, TypeVar

from folkmoot.domain.errors import PeerError
from folkmoot_signaling.directory import Session
from folkmoot_signaling.settings import Bounds

C = TypeVar("C")


class Rooms(Generic[C]):
    """The sessions under each tag. A room is there as long as somebody of this node is in it."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._rooms: dict[bytes, set[Session[C]]] = {}
        self.places = 0
        """Of all sessions in all rooms."""

    def __len__(self) -> int:
        return len(self._rooms)

    def has(self, tag: bytes) -> bool:
        """Whether somebody of this node is under a tag."""
        return tag in self._rooms

    def others(self, session: Session[C], tag: bytes) -> list[Session[C]]:
        """Everybody under a tag except one."""
        return [member for member in self._rooms.get(tag, ()) if member is not session]

    def enter(self, session: Session[C], tag: bytes) -> bool:
        """Be under a tag. False: was there already.

        Raises `PeerError` ``too_many_rooms`` or ``room_full``.
        """
        if tag in session.tags:
            return False
        bounds, place = self._bounds, session.place
        if (
            len(session.tags) >= bounds.key_rooms
            or self.places >= bounds.all_rooms
            or (place is not None and place.rooms >= bounds.address_rooms)
        ):
            raise PeerError("too_many_rooms", "no more rooms for this device")
        room = self._rooms.get(tag)
        if room is None:
            if session.far:
                return False
            room = self._rooms[tag] = set()
        if len(room) >= bounds.room_devices:
            raise PeerError("room_full", f"{bounds.room_devices} devices are in this room")
        room.add(session)
        session.tags.add(tag)
        self.places += 1
        if place is not None:
            place.rooms += 1
        return True

    def leave(self, session: Session[C], tag: bytes) -> bool:
        """Be under a tag no more. False: was not there."""
        if tag not in session.tags:
            return False
        room = self._rooms[tag]
        room.discard(session)
        session.tags.discard(tag)
        self.places -= 1
        if session.place is not None:
            session.place.rooms -= 1
        if all(member.far for member in room):
            self.places -= len(room)
            for member in room:
                member.tags.discard(tag)
            del self._rooms[tag]
        return True
