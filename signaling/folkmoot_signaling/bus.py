"""What the nodes of one server tell each other, so that a device at one meets those at another.

`Bus` is the interface; `MemoryBus` is for a server of one node. Nothing here waits except `claim`:
a bus queues what it is told and brings what it hears to `Local`, on the same loop. Members of other
nodes come as `came`, so an `enter` is answered at once with what is known here.
"""

from __future__ import annotations

from typing import Protocol

from folkmoot.domain.ids import DeviceId


class Local(Protocol):
    """This node, as a bus sees it."""

    def far_came(self, tag: bytes, device: DeviceId, epoch: int) -> None:
        """A device that is logged in at another node is under a tag that is known here.

        May be said again (after the bus was away); the greatest epoch of a device counts.
        """
        ...

    def far_went(self, tag: bytes, device: DeviceId, epoch: int) -> None:
        """It is under the tag no more. Changes nothing if its epoch is an older one."""
        ...

    def far_login(self, device: DeviceId, epoch: int) -> None:
        """A device logged in at another node: an older connection of it here ends."""
        ...

    def far_frame(self, destination: DeviceId, frame: bytes) -> bool:
        """A relayed frame from another node, with its source in it. False: nobody here."""
        ...

    def far_gone(self, source: DeviceId, destination: DeviceId) -> None:
        """A frame of `source`, which is here, was not handed on by another node."""
        ...

    async def far_mail(self, recipient: DeviceId) -> None:
        """An envelope came for a device, perhaps one that is here."""
        ...

    def standing(self) -> list[tuple[DeviceId, int, tuple[bytes, ...]]]:
        """(device, epoch, tags) of all who are here, to announce everything again."""
        ...


class Bus(Protocol):
    """Between the nodes of one server."""

    def attach(self, local: Local) -> None:
        """Bring what is heard to `local`. Once, before anything else."""
        ...

    async def start(self) -> None:
        """Begin, on the loop of the server. Does not wait for other nodes."""
        ...

    async def aclose(self) -> None:
        """Say that everybody who is here is gone, and end."""
        ...

    async def claim(self, device: DeviceId) -> int:
        """An epoch for a new login: greater than all before. Waits a second at most."""
        ...

    def announce(self, device: DeviceId, epoch: int) -> None:
        """The device is logged in here: the others end older connections of it."""
        ...

    def withdraw(self, device: DeviceId, epoch: int) -> None:
        """The device is here no more (its tags were left before)."""
        ...

    def enter(self, tag: bytes, device: DeviceId, epoch: int) -> None:
        """A device that is here is under a tag. Who is under it elsewhere comes as `far_came`."""
        ...

    def leave(self, tag: bytes, device: DeviceId, epoch: int) -> None:
        """A device that is here is under a tag no more."""
        ...

    def relay(self, destination: DeviceId, frame: bytes) -> bool:
        """Hand a frame (with its source in it) to the node of a device. False: it has none."""
        ...

    def mail(self, recipient: DeviceId) -> None:
        """An envelope waits for a device that is not logged in here."""
        ...


class MemoryBus:
    """The bus of a server that is alone."""

    def __init__(self, first_epoch: int = 1) -> None:
        self._epoch = first_epoch

    def attach(self, local: Local) -> None:
        """Nobody else speaks."""

    async def start(self) -> None:
        """Nothing to begin."""

    async def aclose(self) -> None:
        """Nothing to end."""

    async def claim(self, device: DeviceId) -> int:
        """Count."""
        self._epoch += 1
        return self._epoch

    def announce(self, device: DeviceId, epoch: int) -> None:
        """Nobody to tell."""

    def withdraw(self, device: DeviceId, epoch: int) -> None:
        """Nobody to tell."""

    def enter(self, tag: bytes, device: DeviceId, epoch: int) -> None:
        """Nobody to tell."""

    def leave(self, tag: bytes, device: DeviceId, epoch: int) -> None:
        """Nobody to tell."""

    def relay(self, destination: DeviceId, frame: bytes) -> bool:
        """There is no other node."""
        return False

    def mail(self, recipient: DeviceId) -> None:
        """Nobody to tell."""
