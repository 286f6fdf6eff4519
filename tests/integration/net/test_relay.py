"""Streams to devices behind a relay in memory: floods, lost devices, and what stays of them."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aioquic.quic.connection import QuicConnection

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import DeviceId
from folkmoot.net.limits import LinkLimits
from folkmoot.net.quic import QuicEndpoint
from folkmoot.net.quic_stream import QuicStream
from folkmoot.services.ports import Stream
from folkmoot.services.quiet_log import QuietLog
from integration.net.lab import until
from lab.paths import make_paths
from lab.relays import MemoryCarrier, MemoryServer

log = logging.getLogger(__name__)

FAST = LinkLimits(handshake_s=0.5)
ROOMY = replace(FAST, handshakes_per_address_burst=1000, handshakes_burst=1000)


class Crowd:
    """Sides behind one server, and what they accepted."""

    def __init__(self) -> None:
        self.server = MemoryServer()
        self.sides: list[MemoryCarrier] = []
        self.accepted: asyncio.Queue[Stream] = asyncio.Queue()

    async def side(self, limits: LinkLimits | None = None, *, proves: bool = True) -> MemoryCarrier:
        """A node that listens; without `proves` it waits for proofs that do not come."""

        async def accept(stream: Stream) -> None:
            self.accepted.put_nowait(stream)
            if proves:
                stream.open_up()
            else:
                await stream.receive()

        side = await self.server.side(len(self.sides) + 1, limits)
        self.sides.append(side)
        await side.transport.listen(["127.0.0.1:0"], accept)
        return side

    async def call(self, one: MemoryCarrier, other: MemoryCarrier) -> tuple[Stream, Stream]:
        """(dialled, accepted), both open."""
        dialled = await one.transport.dial(other.address, 5)
        dialled.open_up()
        return dialled, await asyncio.wait_for(self.accepted.get(), 20)


@pytest.fixture
async def crowd() -> AsyncIterator[Crowd]:
    """A crowd of which nothing may stay."""
    crowd = Crowd()
    yield crowd
    for side in crowd.sides:
        await side.transport.aclose()
    for side in crowd.sides:
        assert side.relay_here.streams == 0
        assert side.relay_here.unproved == 0
        assert not side.relay_here._endpoints
        assert not side.transport._supervisor.names


def first_packet() -> bytes:
    """The first packet of a connection that goes no further."""
    loop = asyncio.get_running_loop()
    path = make_paths()[0]
    endpoint = QuicEndpoint(path, LinkLimits(), QuietLog(log, loop.time), remote="", local="")
    connection = QuicConnection(configuration=endpoint._configure(None))
    connection.connect(("path", 0), now=0.0)
    return bytes(connection.datagrams_to_send(now=0.0)[0][0])


async def test_each_side_knows_through_which_server_and_to_whom(crowd: Crowd) -> None:
    one, other = await crowd.side(), await crowd.side()
    dialled, accepted = await crowd.call(one, other)
    assert (dialled.remote, dialled.local) == (other.address, one.address)
    assert (accepted.remote, accepted.local) == (one.address, other.address)


async def test_many_streams_share_the_way_to_one_device(crowd: Crowd) -> None:
    one, other = await crowd.side(), await crowd.side()
    pairs = [await crowd.call(one, other) for _ in range(4)]
    back, accepted = await crowd.call(other, one)
    back.send(b"back")
    assert await accepted.receive() == b"back"
    for number, (dialled, accepted) in enumerate(pairs):
        dialled.send(b"%d" % number)
        assert await accepted.receive() == b"%d" % number
    assert one.relay_here.streams == 5
    assert len(one.relay_here._endpoints) == 1


async def test_a_device_that_is_gone_fails_the_dial_at_once_and_no_stream(crowd: Crowd) -> None:
    one, other = await crowd.side(), await crowd.side()
    dialled, accepted = await crowd.call(one, other)
    dialled.send(b"hello")
    assert await accepted.receive() == b"hello"
    other.leave()
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(EnvironmentFault, match="not connected to the server"):
        await one.transport.dial(other.address, 60)
    assert loop.time() - began < 20
    dialled.send(b"wait for me")
    await asyncio.sleep(0.7)
    other.come_back()
    assert await asyncio.wait_for(accepted.receive(), 20) == b"wait for me"


async def test_garbage_of_unknown_devices_leaves_nothing(crowd: Crowd) -> None:
    one = await crowd.side()
    relay = one.relay_here
    for number in range(300):
        device = DeviceId(number.to_bytes(32, "big"))
        relay.received(device, b"x")
        relay.received(device, b"\x40" + b"y" * 1300)
        relay.received(device, b"\xc0\0\0\0\1\x08" + b"z" * 1300)
    assert relay.streams == 0
    assert not relay._endpoints
    assert relay.unproved == 0


async def test_a_flood_of_first_packets_of_one_device_gets_eight_places(crowd: Crowd) -> None:
    one = await crowd.side(ROOMY, proves=False)
    device = DeviceId(b"f" * 32)
    for _ in range(100):
        one.relay_here.received(device, first_packet())
    assert one.relay_here.unproved == 8
    assert one.relay_here.streams == 8
    await until(lambda: one.relay_here.streams == 0)


async def test_floods_of_many_devices_get_64_places_and_leave_nothing(crowd: Crowd) -> None:
    one = await crowd.side(ROOMY, proves=False)
    packet = first_packet()
    for number in range(200):
        one.relay_here.received(DeviceId(number.to_bytes(32, "big")), packet)
    assert one.relay_here.unproved == 64
    await until(lambda: one.relay_here.streams == 0)

    def nothing_stays() -> bool:
        gc.collect()
        return not any(isinstance(each, QuicStream) for each in gc.get_objects())

    await until(nothing_stays)


async def test_a_handshake_that_goes_on_and_on_is_cut_off(crowd: Crowd) -> None:
    one = await crowd.side(LinkLimits(handshake_s=60), proves=False)
    device, packet = DeviceId(b"f" * 32), first_packet()
    for _ in range(64 * 1024 // len(packet)):
        one.relay_here.received(device, packet)
        assert one.relay_here.streams == 1
    one.relay_here.received(device, packet)
    assert one.relay_here.streams == 0


async def test_one_device_may_begin_only_so_many_handshakes(crowd: Crowd) -> None:
    few = LinkLimits(handshakes_per_address_burst=3, handshakes_per_address_per_s=0.001)
    one = await crowd.side(few, proves=False)
    for packet in [first_packet() for _ in range(20)]:
        one.relay_here.received(DeviceId(b"f" * 32), packet)
    assert one.relay_here.streams == 3


async def test_a_link_is_made_while_strangers_come(crowd: Crowd) -> None:
    one, other = await crowd.side(ROOMY), await crowd.side(ROOMY)
    packet = first_packet()
    for number in range(30):
        other.relay_here.received(DeviceId(number.to_bytes(32, "big")), packet)
    dialled = await one.transport.dial(other.address, 5)
    dialled.send(b"hello")
    got = [await crowd.accepted.get()]
    assert await got[0].receive() == b"hello"


async def test_a_busy_server_holds_the_frames_back_and_nothing_is_lost(crowd: Crowd) -> None:
    one, other = await crowd.side(), await crowd.side()
    dialled, accepted = await crowd.call(one, other)
    dialled.send(b"hello")
    await accepted.receive()
    one.busy = True
    frames = one.frames
    for number in range(50):
        dialled.send(b"%d" % number * 100)
    await asyncio.sleep(0.3)
    assert one.frames == frames
    one.busy = False
    one.relay_here.resumed()
    for number in range(50):
        assert await asyncio.wait_for(accepted.receive(), 20) == b"%d" % number * 100


async def test_frames_that_a_server_loses_are_sent_again(crowd: Crowd) -> None:
    one, other = await crowd.side(), await crowd.side()
    dialled, accepted = await crowd.call(one, other)
    crowd.server.loss = 0.1
    for number in range(300):
        dialled.send(b"%d" % number * 100)
    for number in range(300):
        assert await asyncio.wait_for(accepted.receive(), 20) == b"%d" % number * 100
    crowd.server.loss = 0.0
