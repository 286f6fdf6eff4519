"""Who is at other nodes, as far as it matters here: under tags that somebody of this node is under.

Pure. The greatest epoch of a device counts. Who leaves is kept for a moment, so that one who only
changes to another node is not told as gone and come.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from folkmoot.domain.ids import DeviceId

LINGER_S = 1.0


class FarPlace(NamedTuple):
    """A device under a tag, at another node."""

    tag: bytes
    device: DeviceId
    epoch: int


class _Far:
    """One device."""

    __slots__ = ("epoch", "node", "tags")

    def __init__(self, node: bytes, epoch: int) -> None:
        self.node = node
        self.epoch = epoch
        self.tags: set[bytes] = set()


class FarDevices:
    """The devices of all other nodes."""

    def __init__(self) -> None:
        self._devices: dict[bytes, _Far] = {}
        self._rooms: dict[bytes, set[DeviceId]] = {}
        self._leaving: dict[tuple[bytes, DeviceId], float] = {}

    def __len__(self) -> int:
        return len(self._devices)

    def node(self, device: bytes) -> bytes | None:
        """Where a device is."""
        far = self._devices.get(device)
        return far.node if far is not None else None

    def tags(self) -> list[bytes]:
        """All tags under which somebody is."""
        return list(self._rooms)

    def nodes(self) -> set[bytes]:
        """All nodes at which somebody is."""
        return {far.node for far in self._devices.values()}

    def came(self, place: FarPlace, node: bytes) -> bool:
        """A device is there. False: a newer one is known."""
        tag, device, epoch = place
        far = self._devices.get(device)
        if far is None:
            far = self._devices[device] = _Far(node, epoch)
        elif far.epoch > epoch:
            return False
        far.node, far.epoch = node, epoch
        far.tags.add(tag)
        self._rooms.setdefault(tag, set()).add(device)
        self._leaving.pop((tag, device), None)
        return True

    def went(self, place: FarPlace, now_s: float) -> None:
        """A device is there no more; `over` tells it, if it does not come back."""
        tag, device, epoch = place
        far = self._devices.get(device)
        if far is not None and far.epoch <= epoch and tag in far.tags:
            self._leaving.setdefault((tag, device), now_s + LINGER_S)

    def over(self, now_s: float) -> list[FarPlace]:
        """Those that left and did not come back in time."""
        found = []
        for (tag, device), until_s in list(self._leaving.items()):
            if until_s <= now_s:
                found.append(FarPlace(tag, device, self._devices[device].epoch))
                self._drop(tag, device)
        return found

    def missing(self, tag: bytes, present: Iterable[DeviceId], now_s: float) -> None:
        """Everybody else who was known under a tag leaves it."""
        for device in self._rooms.get(tag, set()).difference(present):
            self.went(FarPlace(tag, device, self._devices[device].epoch), now_s)

    def dead(self, node: bytes, now_s: float) -> None:
        """A node is no more: who was there leaves, unless it comes at another one."""
        for device, far in self._devices.items():
            if far.node == node:
                for tag in far.tags:
                    self.went(FarPlace(tag, DeviceId(device), far.epoch), now_s)

    def forget_device(self, device: DeviceId) -> None:
        """It is here now."""
        far = self._devices.get(device)
        for tag in tuple(far.tags) if far is not None else ():
            self._drop(tag, device)

    def forget_tag(self, tag: bytes) -> None:
        """Nobody of this node is under it any more."""
        for device in tuple(self._rooms.get(tag, ())):
            self._drop(tag, device)

    def _drop(self, tag: bytes, device: DeviceId) -> None:
        self._leaving.pop((tag, device), None)
        room = self._rooms[tag]
        room.discard(device)
        if not room:
            del self._rooms[tag]
        far = self._devices[device]
        far.tags.discard(tag)
        if not far.tags:
            del self._devices[device]
