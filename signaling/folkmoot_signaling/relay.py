"""The path of a relayed frame: looked at in three places, never read, written without waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import MAX_RELAYED_BYTES, RELAY_HEADER_BYTES, Error, Gone
from folkmoot_signaling.bus import Bus
from folkmoot_signaling.connection import RELAY_WAITING_BYTES, Connection
from folkmoot_signaling.counters import Counters
from folkmoot_signaling.directory import Directory, Session
from folkmoot_signaling.frames import head
from folkmoot_signaling.limits import Budget, Limits

_LONGEST: Final = RELAY_HEADER_BYTES + MAX_RELAYED_BYTES


class Relay:
    """Hands frames on between devices that share a tag."""

    def __init__(
        self,
        directory: Directory[Connection],
        limits: Limits,
        bus: Bus,
        counters: Counters,
        now_s: Callable[[], float],
    ) -> None:
        self._find = directory.sessions.get
        self._limits = limits
        self._bus = bus
        self._counters = counters
        self._now_s = now_s
        self.slow: dict[Connection, tuple[float, int]] = {}
        """Who has too much waiting: since when it has taken nothing, and how much waits."""

    def hand_on(self, source: Session[Connection], connection: Connection, data: bytes) -> float:
        """Hand on one frame of `source`. Seconds for which the sender is to be let wait.

        Raises `PeerError` ``bad_message`` for a frame that is none.
        """
        size = len(data)
        if not RELAY_HEADER_BYTES < size <= _LONGEST:
            raise PeerError("bad_message", f"a relayed frame of {size} bytes")
        budget = source.budget
        assert budget is not None
        if budget.frames_left < 1 or budget.bytes_left < size:
            wait_s = self._lease(budget, connection, size)
            if wait_s:
                return wait_s
        budget.frames_left -= 1
        budget.bytes_left -= size
        destination = self._find(data[1:33])
        if destination is None or source.tags.isdisjoint(destination.tags):
            self.tell_gone(connection, DeviceId(bytes(data[1:33])))
            return 0.0
        receiver = destination.connection
        if receiver is None:
            self._far(destination, connection, source.prefix + data[33:])
            return 0.0
        transport = receiver.transport
        if transport.get_write_buffer_size() > RELAY_WAITING_BYTES:
            self._drop(receiver)
            return 0.0
        transport.write(head(size) + source.prefix + data[33:])
        counters = self._counters
        counters.frames += 1
        counters.bytes += size
        return 0.0

    def weigh(self, source: Session[Connection], connection: Connection, size: int) -> float:
        """Take a ping or pong from the budget of frames. Seconds to let the sender wait."""
        budget = source.budget
        assert budget is not None
        if budget.frames_left < 1 or budget.bytes_left < size:
            wait_s = self._lease(budget, connection, size)
            if wait_s:
                return wait_s
        budget.frames_left -= 1
        budget.bytes_left -= size
        return 0.0

    def from_node(self, destination: Session[Connection], frame: bytes) -> bool:
        """Hand on a frame that another node brought. False: it has no connection here."""
        receiver = destination.connection
        if receiver is None:
            return False
        self._counters.frames_from_nodes += 1
        if receiver.waiting_bytes > RELAY_WAITING_BYTES:
            self._drop(receiver)
        else:
            receiver.transport.write(head(len(frame)) + frame)
        return True

    def tell_gone(self, connection: Connection, device: DeviceId) -> None:
        """Say that a device is not here, if that was not said a moment ago."""
        self._counters.frames_gone += 1
        if connection.may_tell_gone(device, self._now_s()):
            connection.send(Gone(device))

    def _far(self, destination: Session[Connection], connection: Connection, frame: bytes) -> None:
        if destination.far and self._bus.relay(destination.device, frame):
            self._counters.frames_to_nodes += 1
        else:
            self.tell_gone(connection, destination.device)

    def _lease(self, budget: Budget, connection: Connection, size: int) -> float:
        """Get more for a budget that is used up, or say that its owner is too fast."""
        now_s = self._now_s()
        wait_s = self._limits.lease(budget, connection.place, now_s, size)
        if wait_s:
            self._counters.frames_fast += 1
            if connection.may_tell_fast(now_s):
                connection.send(Error("too_fast", "Too many frames.", int(wait_s * 1000) + 1))
        return wait_s

    def _drop(self, receiver: Connection) -> None:
        self._counters.frames_slow += 1
        if receiver not in self.slow:
            self.slow[receiver] = (self._now_s(), receiver.waiting_bytes)
