"""Has the store forget the words of deleted messages a while after the delete, when it is quiet.

Refuses to do so often: each time all words are written anew, a little at a time.
"""

from __future__ import annotations

import asyncio
import logging

from folkmoot.domain.entry import Kind
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import DeviceId
from folkmoot.services.ports import Appended, Store
from folkmoot.services.publish import Publisher
from folkmoot.services.supervisor import Supervisor

SOON_S = 60.0
PAUSE_S = 0.2
"""Between two steps, for writes of people."""
AGAIN_S = 600.0

_log = logging.getLogger(__name__)


class Forgetting:
    """Works off what deletes left behind, those of before the start too."""

    def __init__(self, store: Store, publisher: Publisher, supervisor: Supervisor) -> None:
        self._store = store
        self._supervisor = supervisor
        self._deleted = asyncio.Event()
        publisher.listen(self._committed)

    def start(self) -> None:
        """Begin, soon."""
        self._supervisor.start("forget deleted words", self._forget_on())

    def _committed(self, appended: Appended, _source: DeviceId | None) -> None:
        if any(entry.header.kind == Kind.DELETE for entry in appended.entries):
            self._deleted.set()

    async def _forget_on(self) -> None:
        while True:
            await asyncio.sleep(SOON_S)
            self._deleted.clear()
            try:
                while await self._store.forget_words():  # noqa: ASYNC110 - a step each
                    await asyncio.sleep(PAUSE_S)
            except EnvironmentFault as fault:
                _log.warning("deleted words stay in the file for now: %s", fault)
                self._deleted.set()
            await asyncio.sleep(AGAIN_S)
            await self._deleted.wait()
