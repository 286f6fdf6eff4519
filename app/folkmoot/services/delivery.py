"""Who holds what: what linked devices acknowledged, told as figures under own messages.

Only first-hand word counts: a device is asked about itself alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot.domain.entry import LogHead
from folkmoot.domain.ids import DeviceId
from folkmoot.services.events import DeliveryChanged, EventBus
from folkmoot.services.ports import Store

MAX_TOLD = 200


class DeliveryService:
    """Keeps acknowledgements and tells what they changed."""

    def __init__(self, store: Store, events: EventBus) -> None:
        self._store = store
        self._events = events

    async def noted(self, device: DeviceId, heads: Sequence[LogHead]) -> None:
        """A linked device says that it holds logs durably up to `heads`."""
        changed = await self._store.note_held(device, heads)
        for conversation, figures in changed.items():
            if figures:
                self._events.publish(DeliveryChanged(conversation, tuple(figures[-MAX_TOLD:])))
