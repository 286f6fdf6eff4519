"""Finds ways through NAT with ICE (RFC 8445), for links; calls have their own in the media process.

Owns every attempt, so that all sockets are closed at the end. Nothing of aioice is loaded before
the first attempt: a node without servers pays nothing for it. Refuses candidates of a peer that
`candidates` does not let pass. Relays are no matter here: the signaling server relays links.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from folkmoot.net.paths import DatagramPath
from folkmoot.services.ports import Stream
from folkmoot.services.supervisor import Supervisor

if TYPE_CHECKING:
    from folkmoot.net.ice_way import Connection, IceWay

_log = logging.getLogger(__name__)
Over = Callable[[DatagramPath, str, bool, float, str], Awaitable[Stream]]
"""As `net.ways.WaysTransport.over`."""


class IceWays:
    """`services.signaling_port.Ice` with aioice; `over` makes the streams."""

    def __init__(self, over: Over) -> None:
        self._over = over
        self._supervisor = Supervisor(_tell_bug)
        self._connections: set[Connection] = set()

    async def gather(self, stun: Sequence[str], *, began: bool) -> IceWay:
        """Raises `EnvironmentFault` ``no_direct_way`` if this computer has no address for it."""
        await asyncio.to_thread(importlib.import_module, "folkmoot.net.ice_way")
        from folkmoot.net import ice_way

        return await ice_way.gather(
            self._over, stun, self._supervisor, began=began, opened=self._keep
        )

    def _keep(self, way: IceWay) -> None:
        connection = way.connection
        self._connections.add(connection)
        connection.on_closed = lambda: self._connections.discard(connection)

    async def aclose(self) -> None:
        """Close every socket."""
        for connection in list(self._connections):
            await connection.close()
        await self._supervisor.aclose()


def _tell_bug(task: str, error: BaseException) -> None:
    _log.error("%s failed", task, exc_info=error)
