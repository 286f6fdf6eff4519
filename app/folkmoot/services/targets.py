"""Addresses worth dialling and when: backoff, penalties and what is known of who answers there.

Pure: time and jitter are arguments. Refuses more addresses than its limit; those that a person
typed stay longest.
"""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.domain.ids import ConversationId, DeviceId
from folkmoot.services.attempts import MDNS, NAT, RELAY, REMEMBERED, TYPED
from folkmoot.services.values import Way

FIRST_BACKOFF_S = 1.0
MAX_BACKOFF_S = 60.0
PENALTY_S = 60.0
MAX_TARGETS = 512
MAX_PER_DEVICE = 8


@dataclass(slots=True)
class Target:
    """One address. `group`: addresses of one record, behind which is one device.

    `team`: the team whose tag was seen there. `key`: the key that is known to be shared there.
    """

    address: str
    way: Way
    device: DeviceId | None = None
    group: str = ""
    team: ConversationId | None = None
    typed: bool = False
    key: bytes = b""
    next_at: float = 0.0
    backoff_s: float = FIRST_BACKOFF_S
    dialling: bool = False

    @property
    def means(self) -> str:
        """The way by which the address is known, as `services.attempts` names it."""
        return _MEANS[self.way]

    def failed(self, now: float, jitter: float) -> None:
        """Nobody answered: later, and each time later. `jitter` in [0.5, 1.5]."""
        self.next_at = now + self.backoff_s * jitter
        self.backoff_s = min(MAX_BACKOFF_S, self.backoff_s * 2)

    def wronged(self, now: float, jitter: float) -> None:
        """Whoever answered broke the rules."""
        self.backoff_s = MAX_BACKOFF_S
        self.next_at = now + PENALTY_S * jitter

    def retry_soon(self, now: float, delay_s: float = 0.0) -> None:
        """There is a reason to try again now."""
        self.backoff_s = FIRST_BACKOFF_S
        self.next_at = now + delay_s


_MEANS = {
    Way.LAN: MDNS,
    Way.TYPED: TYPED,
    Way.DIRECT: REMEMBERED,
    Way.NAT: NAT,
    Way.RELAY: RELAY,
}


class Targets:
    """The table of addresses."""

    def __init__(self, limit: int = MAX_TARGETS) -> None:
        self._limit = limit
        self._targets: dict[str, Target] = {}
        self._own: dict[str, None] = {}

    def all(self) -> list[Target]:
        """Every address."""
        return list(self._targets.values())

    def of(self, device: DeviceId) -> list[Target]:
        """The addresses at which a device is thought to be."""
        return [target for target in self._targets.values() if target.device == device]

    def get(self, address: str) -> Target | None:
        """What is known of an address."""
        return self._targets.get(address)

    def remove(self, address: str) -> None:
        """Nobody is there any more."""
        self._targets.pop(address, None)

    def is_of_another(self, address: str, device: DeviceId) -> bool:
        """Whether another device is thought to be at an address."""
        target = self._targets.get(address)
        return target is not None and target.device not in (None, device)

    def add(
        self,
        address: str,
        way: Way,
        *,
        device: DeviceId | None = None,
        group: str = "",
        team: ConversationId | None = None,
        typed: bool = False,
    ) -> Target | None:
        """An address and what is known of it; None if it is our own or there are too many."""
        if address in self._own:
            return None
        target = self._targets.get(address)
        if target is None:
            if device is not None and not typed and not self._room_for(device):
                return None
            if len(self._targets) >= self._limit and not self._make_room():
                return None
            target = self._targets[address] = Target(address, way)
            device = device or self._behind(group)
        if way is not Way.DIRECT or target.way is Way.DIRECT:
            target.way = way
        target.device = device or target.device
        target.group = group or target.group
        target.team = team or target.team
        target.typed = target.typed or typed
        return target

    def _behind(self, group: str) -> DeviceId | None:
        """The device that proved itself at another address of the group."""
        mates = [target for target in self._targets.values() if group and target.group == group]
        return next((mate.device for mate in mates if mate.device is not None), None)

    def is_own(self, address: str) -> None:
        """We ourselves answer there: never again."""
        self._targets.pop(address, None)
        if len(self._own) >= MAX_TARGETS:
            self._own.clear()
        self._own[address] = None

    def answered(self, target: Target, device: DeviceId) -> None:
        """A device proved itself at an address; it is behind the whole group."""
        for other in self._targets.values():
            if other is target or (target.group and other.group == target.group):
                other.device = device
        target.backoff_s = FIRST_BACKOFF_S

    def moved(self, target: Target) -> None:
        """Another device answers than the one that was thought to be there."""
        target.device = None

    def _room_for(self, device: DeviceId) -> bool:
        """Room for one more address of a device, if need be in place of one that failed."""
        known = self.of(device)
        if len(known) < MAX_PER_DEVICE:
            return True
        failed = [t for t in known if t.backoff_s > FIRST_BACKOFF_S and not t.typed]
        idle = [target for target in failed if not target.dialling]
        if not idle:
            return False
        del self._targets[max(idle, key=lambda target: target.backoff_s).address]
        return True

    def _make_room(self) -> bool:
        idle = [t for t in self._targets.values() if not t.typed and not t.dialling]
        if not idle:
            return False
        worst = max(idle, key=lambda target: (target.backoff_s, target.next_at))
        del self._targets[worst.address]
        return True
