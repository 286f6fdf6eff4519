"""What this node has to say to Redis: who is here under which tags, and what waits to be sent.

Pure and bounded. Rooms and places are kept as they are now, not as a list of what happened: what
changed several times while a publish was under way is said once. Frames past the bound are lost,
which their senders see as a loss of the network.
"""

from __future__ import annotations

from typing import Final, TypeVar

from folkmoot.domain.ids import DeviceId
from folkmoot_signaling.channel import write_frame

MAX_FRAME_BYTES: Final = 4 * 1024 * 1024
MAX_WAITING: Final = 16_384
"""Words about mail, and about frames that were not handed on."""
_PLACES, _ROOMS, _WORDS = 256, 128, 512
K = TypeVar("K")


class Here:
    """The devices of this node, and the changes that Redis does not know yet."""

    def __init__(self) -> None:
        self.epochs: dict[DeviceId, int] = {}
        self._tags: dict[DeviceId, set[bytes]] = {}
        self._rooms: dict[bytes, set[DeviceId]] = {}
        self._placed: dict[DeviceId, None] = {}
        self._gone: dict[DeviceId, int] = {}
        self._changed: dict[bytes, None] = {}

    def announce(self, device: DeviceId, epoch: int) -> None:
        """It is here, with this epoch from now on."""
        self.epochs[device] = epoch
        self._placed[device] = None
        self._gone.pop(device, None)
        self._changed |= dict.fromkeys(self._tags.get(device, ()))

    def withdraw(self, device: DeviceId, epoch: int) -> None:
        """It is here no more."""
        if self.epochs.get(device) == epoch:
            for tag in tuple(self._tags.get(device, ())):
                self.leave(tag, device)
            del self.epochs[device]
            self._placed.pop(device, None)
            self._gone[device] = epoch

    def enter(self, tag: bytes, device: DeviceId) -> None:
        """It is under a tag."""
        self._rooms.setdefault(tag, set()).add(device)
        self._tags.setdefault(device, set()).add(tag)
        self._changed[tag] = None

    def leave(self, tag: bytes, device: DeviceId) -> bool:
        """It is under a tag no more. True: and nobody else of this node is."""
        room = self._rooms.get(tag)
        if room is None or device not in room:
            return False
        room.discard(device)
        tags = self._tags[device]
        tags.discard(tag)
        if not tags:
            del self._tags[device]
        if not room:
            del self._rooms[tag]
        self._changed[tag] = None
        return not room

    def has(self, tag: bytes) -> bool:
        """Whether somebody of this node is under a tag."""
        return tag in self._rooms

    def members(self, tag: bytes) -> list[tuple[DeviceId, int]]:
        """(device, epoch) of who is under a tag here."""
        return [(device, self.epochs.get(device, 0)) for device in self._rooms.get(tag, ())]

    def repeat(self) -> None:
        """Say everything again: what is in Redis ends by itself otherwise."""
        self._placed |= dict.fromkeys(self.epochs)
        self._changed |= dict.fromkeys(self._rooms)

    # --- taking ---------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        return bool(self._placed or self._gone or self._changed)

    def take_placed(self) -> list[tuple[DeviceId, int]]:
        """The next devices that are here."""
        return [(device, self.epochs[device]) for device in _take(self._placed, _PLACES)]

    def take_gone(self) -> list[tuple[DeviceId, int]]:
        """The next devices that are here no more."""
        devices = list(self._gone)[:_PLACES]
        return [(device, self._gone.pop(device)) for device in devices]

    def take_rooms(self) -> list[bytes]:
        """The next tags under which something changed."""
        return _take(self._changed, _ROOMS)


class Outbox:
    """Frames and words for other nodes that wait for the publish that is under way."""

    def __init__(self) -> None:
        self._frames: dict[bytes, list[bytes]] = {}
        self._bytes = 0
        self._mail: dict[DeviceId, None] = {}
        self._words: list[tuple[bytes, bytes]] = []

    def __bool__(self) -> bool:
        return bool(self._frames or self._mail or self._words)

    @property
    def waiting_bytes(self) -> int:
        """Of frames."""
        return self._bytes

    def relay(self, node: bytes, destination: DeviceId, frame: bytes) -> bool:
        """A frame for a device at a node. False: there is no room for it."""
        if self._bytes + len(frame) > MAX_FRAME_BYTES:
            return False
        record = write_frame(destination, frame)
        self._bytes += len(record)
        waiting = self._frames.get(node)
        if waiting is None:
            self._frames[node] = [record]
        else:
            waiting.append(record)
        return True

    def mail(self, recipient: DeviceId) -> None:
        """An envelope waits for a device at another node; it is asked for at a login anyway."""
        if len(self._mail) < MAX_WAITING:
            self._mail[recipient] = None

    def say(self, node: bytes, record: bytes) -> None:
        """A record for a node, not needed much."""
        if len(self._words) < MAX_WAITING:
            self._words.append((node, record))

    def take(self) -> dict[bytes, list[bytes]]:
        """Everything that waits for each node."""
        found, self._frames, self._bytes = self._frames, {}, 0
        for node, record in self._words:
            found.setdefault(node, []).append(record)
        self._words = []
        return found

    def take_mail(self) -> list[DeviceId]:
        """The next devices for which an envelope waits."""
        return _take(self._mail, _WORDS)

    def clear(self) -> None:
        """Nothing of it can be sent."""
        self.take()
        self._mail.clear()


def _take(waiting: dict[K, None], most: int) -> list[K]:
    if len(waiting) <= most:
        found = list(waiting)
        waiting.clear()
        return found
    found = list(waiting)[:most]
    for one in found:
        del waiting[one]
    return found
