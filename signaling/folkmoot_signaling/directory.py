"""Which device is where: the newest authenticated connection of a key wins. Pure."""

from __future__ import annotations

from typing import Generic, TypeVar

from folkmoot.domain.ids import DeviceId
from folkmoot_signaling.limits import Budget, Place

C = TypeVar("C")


class Session(Generic[C]):
    """A device that is logged in here, was a moment ago, or is at another node (`far`).

    It outlives its connection for a while, with its rooms, so that a short loss is seen by nobody.
    """

    __slots__ = (
        "budget",
        "connection",
        "device",
        "epoch",
        "far",
        "former",
        "lost_s",
        "place",
        "prefix",
        "resume",
        "tags",
    )

    def __init__(
        self, device: DeviceId, epoch: int, budget: Budget | None, place: Place | None
    ) -> None:
        self.device = device
        self.epoch = epoch
        self.budget = budget
        self.place = place
        self.far = budget is None
        self.prefix = b"\x01" + device
        """How a frame of this device begins at its receiver."""
        self.tags: set[bytes] = set()
        self.connection: C | None = None
        self.resume = self.former = b""
        self.lost_s = 0.0


class Directory(Generic[C]):
    """All sessions by device."""

    def __init__(self) -> None:
        self.sessions: dict[bytes, Session[C]] = {}
        self._lost: dict[DeviceId, Session[C]] = {}

    def find(self, device: DeviceId) -> Session[C] | None:
        """The session of a device."""
        return self.sessions.get(device)

    def put(self, session: Session[C]) -> None:
        """The session of its device from now on."""
        self.sessions[session.device] = session
        self._lost.pop(session.device, None)

    def lose(self, session: Session[C], now_s: float) -> None:
        """Its connection is gone; it may come back."""
        session.connection = None
        session.lost_s = now_s
        self._lost[session.device] = session

    def back(self, session: Session[C]) -> None:
        """It has a connection again."""
        self._lost.pop(session.device, None)

    def forget(self, session: Session[C]) -> None:
        """It is gone for good."""
        if self.sessions.get(session.device) is session:
            del self.sessions[session.device]
        if self._lost.get(session.device) is session:
            del self._lost[session.device]

    def lost_before(self, then_s: float) -> list[Session[C]]:
        """Those that were lost before a time, the oldest first."""
        found = []
        for session in self._lost.values():
            if session.lost_s >= then_s:
                break
            found.append(session)
        return found
