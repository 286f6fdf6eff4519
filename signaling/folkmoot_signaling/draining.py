"""Ends the server without a stampede: nodes are told to connect anew, one after the other.

Each is told when, spread with jitter, and to where; what was relayed to it before still reaches it,
then its connection is closed. Refuses to wait longer than configured.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from aiohttp import WSCloseCode

from folkmoot.protocol.signaling import Restarting
from folkmoot_signaling.hub import Hub

T = TypeVar("T")
LEAVE_S = 1.0
"""From the last word to the close: as long as frames under way take."""
AWAY_S = 1.0
"""How long a server is away, at least, when it restarts."""
_PER_S = 20
"""Few nodes need not be spread as far as many."""


def plan_drain(
    items: Sequence[T], spread_s: float, chance: Callable[[], float]
) -> list[tuple[float, T]]:
    """(second from now, item) in order: everybody at a time of its own within the spread."""
    spread_s = min(spread_s, len(items) / _PER_S)
    return sorted(((chance() * spread_s, item) for item in items), key=lambda one: one[0])


async def drain(
    hub: Hub,
    spread_s: float,
    url: str,
    hurry: asyncio.Event,
    chance: Callable[[], float] = random.random,
) -> None:
    """Tell everybody, wait for what is under way, close; at once when `hurry` is set."""
    began_s = asyncio.get_running_loop().time()
    # Who has not logged in yet expects another word, and would take this one for nonsense.
    inside = [one for one in hub.connections if one.session is not None]
    planned = plan_drain(inside, spread_s, chance)
    last_s = planned[-1][0] if planned else 0.0
    for at_s, connection in planned:
        if await _passed(hurry, began_s + at_s):
            break
        # At another server at once; at this one when it is back. Who came first is told first, so
        # the time is spread again, or all would come in the same moment.
        wait_s = 0.0 if url else last_s - at_s + LEAVE_S + AWAY_S + chance() * (last_s + 0.5)
        hub.send(connection, Restarting(int(wait_s * 1000), url))
    if planned:
        await _passed(hurry, began_s + last_s + LEAVE_S)
    for connection in list(hub.connections):
        hub.end(connection, None, WSCloseCode.SERVICE_RESTART)


async def _passed(hurry: asyncio.Event, until_s: float) -> bool:
    """Wait until a time of the loop. True: hurry instead."""
    try:
        async with asyncio.timeout_at(until_s):
            await hurry.wait()
    except TimeoutError:
        return False
    return True
