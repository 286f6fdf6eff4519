"""Gathers what linked devices say that they hold, and hands it on once, in few writes.

What is said within a moment is written in one go. Refuses to write what is known already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from folkmoot.domain.entry import LogHead
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import DeviceId, LogKey
from folkmoot.services.delivery import DeliveryService
from folkmoot.services.ports import Store
from folkmoot.services.supervisor import Supervisor

GATHER_S = 0.03
MAX_DEVICES_KNOWN = 512


class Deliveries:
    """Notes of what every device holds durably."""

    def __init__(self, store: Store, delivery: DeliveryService, supervisor: Supervisor) -> None:
        self._store = store
        self._delivery = delivery
        self._supervisor = supervisor
        self._known: dict[DeviceId, dict[LogKey, int]] = {}
        self._noted: dict[DeviceId, dict[LogKey, LogHead]] = {}
        self._writing = False

    async def know(self, device: DeviceId) -> None:
        """Take from the store what a device is known to hold, when its link comes up."""
        if device not in self._known:
            if len(self._known) >= MAX_DEVICES_KNOWN:
                self._known.clear()
            self._known[device] = await self._store.held_by(device)

    def note(self, device: DeviceId, heads: Sequence[LogHead]) -> None:
        """A device says that it holds these logs up to these entries."""
        known = self._known.get(device, {})
        for head in heads:
            noted = self._noted.get(device, {}).get(head.log)
            if known.get(head.log, 0) >= head.sequence:
                continue
            if noted is None or noted.sequence < head.sequence:
                self._noted.setdefault(device, {})[head.log] = head
        if self._noted and not self._writing:
            self._writing = True
            self._supervisor.start("deliveries", self._write())

    async def _write(self) -> None:
        try:
            while self._noted:
                await asyncio.sleep(GATHER_S)
                noted, self._noted = self._noted, {}
                for device, heads in noted.items():
                    await self._write_one(device, list(heads.values()))
        except EnvironmentFault:
            # Figures only: the next acknowledgement or comparison brings them again.
            self._known.clear()
            raise
        finally:
            self._writing = False

    async def _write_one(self, device: DeviceId, heads: list[LogHead]) -> None:
        await self._delivery.noted(device, heads)
        known = self._known.setdefault(device, {})
        for head in heads:
            known[head.log] = max(known.get(head.log, 0), head.sequence)
