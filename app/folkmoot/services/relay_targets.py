"""Devices that servers say are there, as addresses to dial.

A server may lie: it can make devices up, and name the same ones again and again. So those that no
team knows are few, and who is named too often is dialled later. Pure: time is an argument.
"""

from __future__ import annotations

from collections.abc import Callable

from folkmoot.domain.ids import DeviceId
from folkmoot.services.links import Knock
from folkmoot.services.pace import Bucket
from folkmoot.services.ports import Randomness
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.targets import Targets
from folkmoot.services.values import Way

MAX_RELAYS = 1024
MAX_UNKNOWN = 32
"""Devices that no team knows: new ones, or such as a server made up."""
MET_PER_S, MET_BURST, MET_LATER_S = 4.0, 128.0, 30.0
"""Whom servers name more often than that is dialled later."""
RELAY_TURN_S = 1.0
"""Of two who meet at a server the lower device dials at once, the other if it comes to nothing."""


class RelayTargets(Targets):
    """The table of addresses behind servers."""

    def __init__(
        self, me: Callable[[], DeviceId], registry: TeamRegistry, randomness: Randomness
    ) -> None:
        super().__init__(MAX_RELAYS)
        self._me = me
        self._registry = registry
        self._randomness = randomness
        self._pace: Bucket | None = None

    def met(self, address: str, device: DeviceId, knock: Knock, now: float) -> bool:
        """A device is said to be at `address`, and to know a key; whether it is worth a dial."""
        if self.get(address) is None and not self._has_room_for(device):
            return False
        target = self.add(
            address, Way.RELAY, device=device, group=f"relay {device.hex()}", team=knock.team
        )
        if target is None:
            return False
        target.team, target.key = knock.team, knock.key
        target.retry_soon(now, self._delay_s(device, now))
        return True

    def _has_room_for(self, device: DeviceId) -> bool:
        if self._registry.person_of(device) is not None:
            return True
        devices = {target.device for target in self.all()}
        unknown = sum(one is not None and self._registry.person_of(one) is None for one in devices)
        return device in devices or unknown < MAX_UNKNOWN

    def _delay_s(self, device: DeviceId, now: float) -> float:
        if self._pace is None:
            self._pace = Bucket(MET_PER_S, MET_BURST, now)
        if not self._pace.take(now):
            return MET_LATER_S * self._randomness.uniform(0.5, 1.5)
        return 0.0 if self._me() < device else RELAY_TURN_S
