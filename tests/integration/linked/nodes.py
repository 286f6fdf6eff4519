"""Shipped nodes with real stores and real TLS on loopback."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

from folkmoot.net.tls import TlsTransport
from folkmoot.services.keyring import Keyring
from folkmoot.services.media_port import MediaLauncher
from folkmoot.services.node import Installation, Node
from folkmoot.services.ports import Transport
from folkmoot.services.signaling_port import Signaling
from folkmoot.storage.store import SqliteStore
from folkmoot.system.clock import SystemClock
from sim.world import WORD_LIST, keys_of


class ChanceByName:
    """Random bytes that differ for each node and each start."""

    def __init__(self, name: str) -> None:
        self._random = random.SystemRandom()

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)


async def open_node(
    name: str,
    folder: Path,
    *,
    transport: Transport | None = None,
    keyring: Keyring | None = None,
    media: MediaLauncher | None = None,
    signaling: Signaling | None = None,
) -> Node:
    """A node that listens on loopback, started."""
    keyring = keyring or keys_of(name)
    clock = SystemClock()
    store = await SqliteStore.open(
        folder / f"{name}.sqlite3", keyring.person, keyring.device, clock=clock
    )

    async def save(_keyring: Keyring) -> None:
        return None

    installation = Installation(keyring, WORD_LIST[:4], WORD_LIST, "test", name, save)
    node = Node(
        installation,
        store,
        clock,
        ChanceByName(name),
        transport or TlsTransport(),
        media=media,
        signaling=signaling,
    )
    await node.start(["127.0.0.1:0"])
    return node


async def until(condition: Callable[[], bool], within_s: float = 30.0) -> None:
    """Wait until `condition` holds."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - the conditions have no event of their own
            await asyncio.sleep(0.01)


async def until_true(condition: Callable[[], Awaitable[bool]], within_s: float = 30.0) -> None:
    """Wait until `condition` answers true."""
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
