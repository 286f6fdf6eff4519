"""Whether the clock of this computer is far from those of others, by the times in what they write.

Nothing is decided by it: it explains why a server's certificate is refused, and why messages stand
at odd times. Pure. Refuses to judge by what somebody wrote while away.
"""

from __future__ import annotations

from collections import OrderedDict

from folkmoot.domain.ids import DeviceId
from folkmoot.domain.timestamps import CLOCK_TOLERANCE_MS

MAX_DEVICES = 256


class Clocks:
    """How far the clock of each device was ahead of ours when it last wrote."""

    def __init__(self) -> None:
        self._ahead_ms: OrderedDict[DeviceId, int] = OrderedDict()

    def heard(self, device: DeviceId, wall_ms: int, now_ms: int, *, live: bool) -> None:
        """A device wrote at `wall_ms` of its clock. `live`: just now, as we are linked to it.

        Without that only a time to come says something.
        """
        ahead_ms = wall_ms - now_ms
        if not live and ahead_ms <= CLOCK_TOLERANCE_MS:
            return
        self._ahead_ms.pop(device, None)
        self._ahead_ms[device] = ahead_ms
        if len(self._ahead_ms) > MAX_DEVICES:
            self._ahead_ms.popitem(last=False)

    def apart_s(self, device: DeviceId) -> float:
        """How far a device's clock is ahead of ours (below zero: behind); 0 if that is little."""
        ahead_ms = self._ahead_ms.get(device, 0)
        return ahead_ms / 1000 if abs(ahead_ms) > CLOCK_TOLERANCE_MS else 0.0

    def own_is_off_s(self) -> float:
        """How far our own clock seems behind (below zero: ahead): all others say so; else 0."""
        known = [self.apart_s(device) for device in self._ahead_ms]
        if not known or 0.0 in known or min(known) < 0 < max(known):
            return 0.0
        return min(known, key=abs)
