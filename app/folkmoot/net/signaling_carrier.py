"""Relayed frames over the connection to one server, while there is one.

Never sends faster than the server said it takes: what is over that would be lost there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import MAX_RELAYED_BYTES, Limits, write_relay
from folkmoot.services.pace import Bucket

if TYPE_CHECKING:
    from folkmoot.net.signaling_socket import ServerSocket


class FrameCarrier:
    """A `net.relay.Carrier`; `resumed` is called when it takes frames again."""

    def __init__(self, loop: asyncio.AbstractEventLoop, resumed: Callable[[], None]) -> None:
        self._loop = loop
        self._resumed = resumed
        self._socket: ServerSocket | None = None
        self._max_bytes = 0
        self._frames = self._bytes = Bucket(1, 1, 0)
        self._paced_until = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connected(self, socket: ServerSocket, limits: Limits) -> None:
        """A connection is ready."""
        now = self._loop.time()
        frames, size = max(1, limits.frames_per_s), max(1, limits.bytes_per_s)
        self._socket = socket
        self._max_bytes = min(limits.relayed_bytes, MAX_RELAYED_BYTES)
        self._frames, self._bytes = Bucket(frames, frames, now), Bucket(size, size, now)
        self._paced_until = 0.0
        self._resumed()

    def disconnected(self) -> None:
        """There is none any more."""
        self._socket = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look(self) -> None:
        """Perhaps it takes frames again."""
        if not self.busy:
            self._resumed()

    @property
    def relaying(self) -> bool:
        """Frames pass, once there is room."""
        return self._socket is not None

    @property
    def busy(self) -> bool:
        """It takes no frame now."""
        if self._socket is None or self._socket.busy:
            return True
        return self._loop.time() < self._paced_until

    @property
    def max_relayed_bytes(self) -> int:
        """The longest payload that the server takes; of the last connection while there is none."""
        return self._max_bytes

    def relay(self, device: DeviceId, payload: bytes) -> None:
        """Send a frame, or lose it."""
        if self._socket is None or len(payload) > self._max_bytes:
            return
        self._socket.send(write_relay(device, payload))
        now = self._loop.time()
        wait_s = max(self._frames.owe(now, 1), self._bytes.owe(now, len(payload)))
        if wait_s > 0:
            self._paced_until = now + wait_s
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_later(wait_s, self.look)
