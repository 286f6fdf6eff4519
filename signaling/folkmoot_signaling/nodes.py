"""What other nodes of this server tell this one: the devices that are there, in our rooms.

A device of another node is a `far` session, with those of its tags that somebody here is under.
The greatest epoch of a device counts, so what comes late changes nothing.
"""

from __future__ import annotations

from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import DeviceId
from folkmoot_signaling.connection import Connection
from folkmoot_signaling.directory import Session
from folkmoot_signaling.hub import Hub


class Nodes:
    """`bus.Local`: brings what the bus hears to the hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def far_came(self, tag: bytes, device: DeviceId, epoch: int) -> None:
        """A device that is logged in at another node is under a tag that is known here."""
        self.far_login(device, epoch)
        session = self._hub.directory.find(device)
        if session is None:
            if not self._hub.rooms.has(tag):
                return
            session = Session[Connection](device, epoch, None, None)
            self._hub.directory.put(session)
        if session.far and session.epoch <= epoch:
            session.epoch = epoch
            try:
                self._hub.enter_far(session, tag)
            except PeerError:
                # The other node has the same bounds; only the newest in a race are left out.
                self._hub.counters.rooms_refused += 1

    def far_went(self, tag: bytes, device: DeviceId, epoch: int) -> None:
        """It is under the tag no more."""
        session = self._hub.directory.find(device)
        if session is not None and session.far and session.epoch <= epoch:
            self._hub.leave(session, tag)
            if not session.tags:
                self._hub.directory.forget(session)

    def far_login(self, device: DeviceId, epoch: int) -> None:
        """A device logged in at another node: an older connection of it here ends."""
        session = self._hub.directory.find(device)
        if session is not None and not session.far and session.epoch < epoch:
            self._hub.supersede(session)

    def far_frame(self, destination: DeviceId, frame: bytes) -> bool:
        """A relayed frame from another node, with its source in it."""
        session = self._hub.directory.find(destination)
        return session is not None and self._hub.relay.from_node(session, frame)

    def far_gone(self, source: DeviceId, destination: DeviceId) -> None:
        """A frame of `source` was not handed on by another node."""
        session = self._hub.directory.find(source)
        if session is not None and session.connection is not None:
            self._hub.relay.tell_gone(session.connection, destination)

    async def far_mail(self, recipient: DeviceId) -> None:
        """An envelope came for a device, perhaps one that is here."""
        session = self._hub.directory.find(recipient)
        if session is not None:
            await self._hub.post.deliver(session)

    def standing(self) -> list[tuple[DeviceId, int, tuple[bytes, ...]]]:
        """(device, epoch, tags) of all who are here."""
        return [
            (session.device, session.epoch, tuple(session.tags))
            for session in self._hub.directory.sessions.values()
            if not session.far
        ]
