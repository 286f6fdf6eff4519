"""What one link brought and is not stored yet: a queue with a bound on entries and on bytes.

Refuses nothing that was read already; whoever reads waits for room before reading on.
"""

from __future__ import annotations

import asyncio
from collections import deque

from folkmoot.protocol.frames import Segment

MAX_ENTRIES = 6000
MAX_BYTES = 4 * 1024 * 1024
BATCH_ENTRIES = 1500
BATCH_BYTES = 2 * 1024 * 1024


class Inbox:
    """Segments in the order in which they came."""

    def __init__(self) -> None:
        self._segments: deque[Segment] = deque()
        self._entries = 0
        self._bytes = 0
        self._room = asyncio.Event()
        self._room.set()

    def __bool__(self) -> bool:
        return bool(self._segments)

    async def add(self, segment: Segment) -> None:
        """Take a segment; returns when there is room for the next one."""
        self._segments.append(segment)
        self._count(segment, 1)
        if self._entries > MAX_ENTRIES or self._bytes > MAX_BYTES:
            self._room.clear()
            await self._room.wait()

    def take(self) -> list[Segment]:
        """The next segments to store, one at least unless it is empty."""
        batch: list[Segment] = []
        entries = size = 0
        while self._segments and entries < BATCH_ENTRIES and size < BATCH_BYTES:
            segment = self._segments.popleft()
            batch.append(segment)
            self._count(segment, -1)
            entries, size = entries + len(segment.headers), size + _size(segment)
        if self._entries <= MAX_ENTRIES // 2 and self._bytes <= MAX_BYTES // 2:
            self._room.set()
        return batch

    def put_back(self, batch: list[Segment]) -> None:
        """The segments that `take` gave could not be stored now."""
        self._segments.extendleft(reversed(batch))
        for segment in batch:
            self._count(segment, 1)

    def clear(self) -> None:
        """Forget everything: the link is gone."""
        self._segments.clear()
        self._entries = self._bytes = 0
        self._room.set()

    def _count(self, segment: Segment, sign: int) -> None:
        self._entries += sign * len(segment.headers)
        self._bytes += sign * _size(segment)


def _size(segment: Segment) -> int:
    return sum(map(len, segment.headers)) + sum(len(body or b"") for body in segment.bodies)
