"""The pictures that wait for their time in a recording, and the newest of each person and kind.

Sound is known late: what a voice says now comes out of its buffer up to 200 ms later. So pictures
wait as long. Refuses (drops) pictures of sizes that no sane sender uses, and to keep many.
"""

from __future__ import annotations

import collections
import threading
from dataclasses import dataclass

import av

from folkmoot.media.devices.tiles import MAX_SIDE
from folkmoot.services.media_port import SCREEN

Key = tuple[bytes, str]
"""Peer and kind."""
MOST_WAITING = 10
MOST_BYTES = 96 * 1024 * 1024
"""Of all pictures that wait. Beyond it the oldest of that person is shown too early."""
STALE_NS = 3_000_000_000
"""A camera that gave nothing for so long shows nothing any more; a screen may stand still."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of `at_ns` of the recording. `number` tells it from others."""

    frame: av.VideoFrame
    at_ns: int
    number: int


class _Source:
    def __init__(self) -> None:
        self.waiting: collections.deque[Picture] = collections.deque()
        self.newest: Picture | None = None


class Pictures:
    """Every method is thread-safe."""

    def __init__(self) -> None:
        self._sources: dict[Key, _Source] = {}
        self._bytes = self._number = 0
        self._lock = threading.Lock()

    def put(self, key: Key, frame: av.VideoFrame, at_ns: int) -> None:
        """A picture came."""
        if not (2 <= frame.width <= MAX_SIDE and 2 <= frame.height <= MAX_SIDE):
            return
        with self._lock:
            source = self._sources.setdefault(key, _Source())
            self._number += 1
            source.waiting.append(Picture(frame, at_ns, self._number))
            self._bytes += _bytes(frame)
            while len(source.waiting) > MOST_WAITING or (
                self._bytes > MOST_BYTES and len(source.waiting) > 1
            ):
                self._next(source)

    def seen(self) -> list[Key]:
        """Of whom something came."""
        with self._lock:
            return list(self._sources)

    def newest(self, key: Key, now_ns: int) -> Picture | None:
        """The newest picture that was taken up to `now_ns`; None: there is none, or no more."""
        with self._lock:
            source = self._sources.get(key)
            if source is None:
                return None
            while source.waiting and source.waiting[0].at_ns <= now_ns:
                self._next(source)
            picture = source.newest
            if picture is None or (key[1] != SCREEN and now_ns - picture.at_ns > STALE_NS):
                return None
            return picture

    def forget(self, key: Key) -> None:
        """Pictures of that kind stopped."""
        with self._lock:
            source = self._sources.pop(key, None)
            if source is not None:
                self._bytes -= sum(_bytes(each.frame) for each in source.waiting)

    def hurry(self) -> None:
        """The clock stops: nothing waits any longer."""
        with self._lock:
            for source in self._sources.values():
                while source.waiting:
                    self._next(source)

    def _next(self, source: _Source) -> None:
        source.newest = source.waiting.popleft()
        self._bytes -= _bytes(source.newest.frame)


def _bytes(frame: av.VideoFrame) -> int:
    return frame.width * frame.height * 3 // 2
