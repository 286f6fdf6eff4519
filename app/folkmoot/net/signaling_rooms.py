"""Which tags we want to be under at one server, and who is said to be there.

Pure and bounded: only tags that we asked for count, and of each `MAX_ROOM_DEVICES` devices. What is
known outlives a lost connection; the next `Room` says what changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import (
    MAX_ROOM_DEVICES,
    MAX_TAGS,
    Came,
    Control,
    Enter,
    Leave,
    Room,
    Went,
)

Change = tuple[bytes, DeviceId, bool]
"""(tag, device, whether it is there now)"""


class RoomBook:
    """The rooms of one server."""

    def __init__(self, own: DeviceId) -> None:
        self._own = own
        self._wanted: dict[bytes, None] = {}
        self._rooms: dict[bytes, set[DeviceId]] = {}
        self._confirmed: set[bytes] = set()
        self._most = MAX_TAGS

    def connected(self, most: int) -> list[Control]:
        """A connection is ready, with at most `most` rooms: what to say first."""
        self._most = min(most, MAX_TAGS)
        self._confirmed.clear()
        return self.missing()

    def missing(self) -> list[Control]:
        """Ask for what is wanted and not there."""
        tags = [tag for tag in list(self._wanted)[: self._most] if tag not in self._confirmed]
        return [Enter(tuple(tags))] if tags else []

    def want(self, tags: Iterable[bytes]) -> tuple[list[Control], list[Change]]:
        """The tags from now on: what to say to the server, and who is gone by that."""
        self._wanted = dict.fromkeys(tags)
        dropped = [tag for tag in self._rooms if tag not in self._wanted]
        left = sorted(self._confirmed - self._wanted.keys())
        self._confirmed -= set(left)
        changes = [change for tag in dropped for change in self._empty(tag)]
        said: list[Control] = [Leave(tuple(left))] if left else []
        return said + self.missing(), changes

    def take(self, message: Room | Came | Went) -> list[Change]:
        """What the server said: who came and went by that."""
        tag = message.tag
        if tag not in self._wanted:
            return []
        if isinstance(message, Room):
            self._confirmed.add(tag)
            return self._set(tag, {DeviceId(device) for device in message.devices} - {self._own})
        room = self._rooms.setdefault(tag, set())
        device = DeviceId(message.device)
        if isinstance(message, Went):
            if device not in room:
                return []
            room.discard(device)
            return [(tag, device, False)]
        if device in room or device == self._own or len(room) >= MAX_ROOM_DEVICES:
            return []
        room.add(device)
        return [(tag, device, True)]

    def lost(self) -> list[Change]:
        """The connection is lost for good: everybody is gone."""
        self._confirmed.clear()
        return [change for tag in list(self._rooms) for change in self._empty(tag)]

    def _set(self, tag: bytes, devices: set[DeviceId]) -> list[Change]:
        before = self._rooms.get(tag, set())
        self._rooms[tag] = devices
        gone: list[Change] = [(tag, device, False) for device in sorted(before - devices)]
        return gone + [(tag, device, True) for device in sorted(devices - before)]

    def _empty(self, tag: bytes) -> list[Change]:
        return [(tag, device, False) for device in sorted(self._rooms.pop(tag, set()))]
