"""Epochs of logins: each greater than all before, at whichever node. Time is an argument.

An epoch is a time in microseconds, or the next number. Redis gives them, by its clock; while it is
away the clock of this node does, set by that of Redis as it was seen last.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable


class Epochs:
    """Those who wait for an epoch from Redis, and the greatest that was given."""

    def __init__(self, unix_s: Callable[[], float]) -> None:
        self._unix_s = unix_s
        self._waiting: list[asyncio.Future[int]] = []
        self._ahead_us = 0
        self.last = 0

    def __bool__(self) -> bool:
        """Whether somebody waits."""
        return bool(self._waiting)

    def own(self) -> int:
        """One without Redis."""
        self.last = max(self.last + 1, int(self._unix_s() * 1e6) + self._ahead_us)
        return self.last

    async def ask(self, wait_s: float) -> int:
        """One from Redis, or without it if it does not come in time."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        epoch = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                epoch = await waiting
        return epoch or self.own()

    def take(self) -> list[asyncio.Future[int]]:
        """Those who wait; `give` them an epoch each."""
        found, self._waiting = self._waiting, []
        return found

    def give(self, waiting: list[asyncio.Future[int]], first: int) -> None:
        """Redis gave so many epochs, the first of which is this."""
        self.last = max(self.last, first + len(waiting) - 1)
        for epoch, one in enumerate(waiting, first):
            if not one.done():
                one.set_result(epoch)

    def set_clock(self, redis_us: int) -> None:
        """What time it is at Redis."""
        self._ahead_us = redis_us - int(self._unix_s() * 1e6)

    def give_up(self) -> None:
        """Redis is away."""
        for one in self.take():
            if not one.done():
                one.set_result(0)
