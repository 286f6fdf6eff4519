"""What every transport keeps, the one in memory as well as the real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from fakes.transport import MemoryNetwork
from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.net.tls import TlsTransport
from folkmoot.services.ports import Stream, Transport
from lab.relays import MemoryServer

KIB = 1024


class Pair:
    """Two transports that reach each other."""

    def __init__(self, one: Transport, other: Transport, behind: str | None = None) -> None:
        """`behind`: where the other is reached through a relay."""
        self.one = one
        self.other = other
        self.behind = behind
        self.accepted: asyncio.Queue[Stream] = asyncio.Queue()

    async def connect(self) -> tuple[Stream, Stream]:
        """Both ends of a new stream, the dialler's first."""
        [address] = await self.other.listen(["127.0.0.1:0"], self._accept)
        dialled = await self.one.dial(self.behind or address, 20)
        return dialled, await self.accepted.get()

    async def _accept(self, stream: Stream) -> None:
        self.accepted.put_nowait(stream)
        await asyncio.Event().wait()


@pytest.fixture(params=["memory", "tls", "quic"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    """A pair of each kind."""
    if request.param == "memory":
        network = MemoryNetwork()
        pair = Pair(network.transport("10.0.0.1"), network.transport("127.0.0.1"))
    elif request.param == "quic":
        server = MemoryServer()
        one, other = await server.side(1), await server.side(2)
        pair = Pair(one.transport, other.transport, other.address)
    else:
        pair = Pair(TlsTransport(), TlsTransport())
    yield pair
    await pair.one.aclose()
    await pair.other.aclose()


async def test_frames_arrive_whole_and_in_order(pair: Pair) -> None:
    dialled, accepted = await pair.connect()
    sent = [bytes([number]) * (number + 1) for number in range(200)]
    for frame in sent:
        dialled.send(frame)
    assert [await accepted.receive() for _ in sent] == sent


async def test_both_ends_see_the_same_binding(pair: Pair) -> None:
    dialled, accepted = await pair.connect()
    assert dialled.binding == accepted.binding
    assert len(dialled.binding) == 32


async def test_a_frame_above_4_kib_is_refused_before_the_proofs(pair: Pair) -> None:
    dialled, accepted = await pair.connect()
    dialled.open_up()
    dialled.send(bytes(4 * KIB + 1))
    with pytest.raises(PeerError):
        await accepted.receive()


async def test_a_frame_above_4_kib_is_refused_from_a_stranger(pair: Pair) -> None:
    dialled, accepted = await pair.connect()
    dialled.open_up()
    accepted.open_up(stranger=True)
    dialled.send(bytes(4 * KIB + 1))
    with pytest.raises(PeerError):
        await accepted.receive()


async def test_after_the_proofs_large_frames_pass(pair: Pair) -> None:
    dialled, accepted = await pair.connect()
    dialled.open_up()
    accepted.open_up()
    dialled.send(bytes(900 * KIB))
    assert len(await accepted.receive()) == 900 * KIB


async def test_drain_waits_for_a_reader_that_is_behind(pair: Pair) -> None:
    dialled, accepted = await pair.connect()
    dialled.open_up()
    accepted.open_up()
    for _ in range(100):
        dialled.send(bytes(64 * KIB))
    drained = asyncio.get_running_loop().create_task(dialled.drain())
    await asyncio.sleep(0.05)
    assert not drained.done()
    for _ in range(100):
        await accepted.receive()
    await asyncio.wait_for(drained, 20)


async def test_a_peer_that_never_reads_ends_the_stream(pair: Pair) -> None:
    dialled, accepted = await pair.connect()
    dialled.open_up()
    accepted.open_up()
    for _ in range(400):
        dialled.send(bytes(64 * KIB))
        await asyncio.sleep(0)
    with pytest.raises(EnvironmentFault):
        await dialled.drain()


async def test_closing_one_end_ends_the_other_after_what_was_sent(pair: Pair) -> None:
    dialled, accepted = await pair.connect()
    dialled.send(b"last words")
    await dialled.aclose()
    assert await accepted.receive() == b"last words"
    with pytest.raises(EnvironmentFault) as ended:
        await accepted.receive()
    assert ended.value.code == "link_closed"


async def test_nobody_listening_is_unreachable(pair: Pair) -> None:
    with pytest.raises(EnvironmentFault) as refused:
        await pair.one.dial("127.0.0.1:1", 1)
    assert refused.value.code == "unreachable"


async def test_a_port_in_use_is_said_so(pair: Pair) -> None:
    async def accept(_stream: Stream) -> None:
        return None

    [address] = await pair.other.listen(["127.0.0.1:0"], accept)
    with pytest.raises(EnvironmentFault) as refused:
        await pair.other.listen([address], accept)
    assert refused.value.code == "port_taken"


async def test_traffic_counts_both_ways(pair: Pair) -> None:
    dialled, accepted = await pair.connect()
    dialled.send(bytes(1000))
    await accepted.receive()
    assert accepted.traffic()[0] >= 1000
    assert dialled.traffic()[1] >= 1000
