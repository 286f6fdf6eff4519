"""The pace of relayed frames."""

from __future__ import annotations

import asyncio

from folkmoot.domain.ids import DeviceId
from folkmoot.net.signaling_carrier import FrameCarrier
from folkmoot.protocol.signaling import Limits

DEVICE = DeviceId(b"d" * 32)


class Socket:
    """Takes everything."""

    def __init__(self) -> None:
        self.busy = False
        self.sent: list[bytes] = []

    def send(self, message: bytes) -> None:
        self.sent.append(message)


def limits(relayed_bytes: int = 16_384, frames: int = 1000, size: int = 1_000_000) -> Limits:
    return Limits(relayed_bytes, frames, size, 64, 256, 0, 0)


async def test_frames_are_held_back_as_soon_as_the_server_would_lose_them() -> None:
    resumed = asyncio.Event()
    carrier, socket = FrameCarrier(asyncio.get_running_loop(), resumed.set), Socket()
    carrier.connected(socket, limits(size=10_000))  # type: ignore[arg-type]
    resumed.clear()
    for _ in range(10):
        assert not carrier.busy
        carrier.relay(DEVICE, bytes(1000))
    carrier.relay(DEVICE, bytes(1000))
    assert carrier.busy
    await asyncio.wait_for(resumed.wait(), 20)
    assert not carrier.busy


async def test_small_frames_count_singly() -> None:
    carrier, socket = FrameCarrier(asyncio.get_running_loop(), lambda: None), Socket()
    carrier.connected(socket, limits(frames=5))  # type: ignore[arg-type]
    for _ in range(6):
        carrier.relay(DEVICE, b"x")
    assert carrier.busy
    carrier.disconnected()


async def test_without_a_connection_it_is_busy_and_drops() -> None:
    carrier, socket = FrameCarrier(asyncio.get_running_loop(), lambda: None), Socket()
    assert carrier.busy
    assert not carrier.relaying
    carrier.connected(socket, limits())  # type: ignore[arg-type]
    carrier.disconnected()
    carrier.relay(DEVICE, b"x")
    assert socket.sent == []
    assert carrier.busy


async def test_a_frame_over_the_size_of_the_server_is_dropped() -> None:
    carrier, socket = FrameCarrier(asyncio.get_running_loop(), lambda: None), Socket()
    carrier.connected(socket, limits(relayed_bytes=100))  # type: ignore[arg-type]
    carrier.relay(DEVICE, bytes(101))
    assert socket.sent == []
    carrier.connected(socket, limits(relayed_bytes=2**40))  # type: ignore[arg-type]
    assert carrier.max_relayed_bytes == 16_384
