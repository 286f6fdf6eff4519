"""Nodes at the real signaling server: rooms, streams through it, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import DeviceId
from folkmoot.domain.servers import parse_server, relay_address
from folkmoot.services.values import ServerPhase
from integration.net.lab import until
from lab.signal_nodes import SignalNode
from lab.signal_server import SignalServer, signal_server, start_server

TAG, OTHER_TAG = b"t" * 16, b"u" * 16
MakeNode = Callable[[int], SignalNode]


@pytest.fixture(scope="module")
def server() -> Iterator[SignalServer]:
    """A server for all tests of this file."""
    with signal_server() as server:
        yield server


@pytest.fixture
async def node() -> AsyncIterator[MakeNode]:
    """Make nodes; nothing may stay of them."""
    nodes: list[SignalNode] = []

    def make(number: int) -> SignalNode:
        nodes.append(SignalNode(number))
        return nodes[-1]

    yield make
    for each in nodes:
        await each.aclose()
    for each in nodes:
        assert not each.clients._supervisor.names
        assert not each.transport._supervisor.names


async def test_two_devices_under_one_tag_hear_of_each_other(
    server: SignalServer, node: MakeNode
) -> None:
    one, other = node(1), node(2)
    url = await one.connect(server.url, TAG)
    await other.connect(server.url, TAG)
    await one.until(lambda: one.count("came", url, TAG, other.device) == 1)
    await other.until(lambda: other.count("came", url, TAG, one.device) == 1)
    other.clients.enter(url, [OTHER_TAG])
    await one.until(lambda: one.count("went", url, TAG, other.device) == 1)
    assert other.count("went", url, TAG, one.device) == 1


async def test_the_way_to_the_server_is_measured(server: SignalServer, node: MakeNode) -> None:
    one = node(3)
    url = await one.connect(server.url)
    await one.until(lambda: one.clients.state(url).rtt_ms is not None)
    state = one.clients.state(url)
    assert state.phase is ServerPhase.READY
    assert len(state.server) == 32
    assert state.rtt_ms is not None
    assert state.rtt_ms > 0


async def test_frames_pass_through_the_server(server: SignalServer, node: MakeNode) -> None:
    one, other = node(4), node(5)
    await other.listen()
    url = await one.connect(server.url, TAG)
    await other.connect(server.url, TAG)
    ours, theirs = await one.call(other, url)
    assert ours.remote == relay_address(url, other.device)
    assert theirs.remote == relay_address(url, one.device)
    assert ours.binding == theirs.binding
    frames = [bytes([n % 256]) * (1 + n * 97 % 9000) for n in range(100)]
    for frame in frames:
        ours.send(frame)
        theirs.send(frame[::-1])
    assert [await theirs.receive() for _ in frames] == frames
    assert [await ours.receive() for _ in frames] == [frame[::-1] for frame in frames]


async def test_a_device_that_is_not_there_is_unreachable_at_once(
    server: SignalServer, node: MakeNode
) -> None:
    one = node(6)
    url = await one.connect(server.url, TAG)
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(EnvironmentFault, match="not connected to the server"):
        await one.transport.dial(relay_address(url, DeviceId(b"x" * 32)), 60)
    assert loop.time() - began < 20


async def test_a_server_that_is_not_in_the_list_is_unreachable(node: MakeNode) -> None:
    one = node(7)
    address = relay_address(parse_server("wss://nowhere.example"), DeviceId(b"x" * 32))
    with pytest.raises(EnvironmentFault, match="not in the list"):
        await one.transport.dial(address, 1)


async def test_a_removed_server_is_off_and_its_streams_end(
    server: SignalServer, node: MakeNode
) -> None:
    one, other = node(8), node(9)
    await other.listen()
    url = await one.connect(server.url, TAG)
    await other.connect(server.url, TAG)
    await other.until(lambda: other.count("came", url, TAG, one.device) == 1)
    ours, theirs = await one.call(other, url)
    one.clients.remove(url)
    assert one.clients.state(url).phase is ServerPhase.OFF
    with pytest.raises(EnvironmentFault):
        await asyncio.wait_for(ours.receive(), 20)
    with pytest.raises(EnvironmentFault):
        await asyncio.wait_for(theirs.receive(), 20)
    await other.until(lambda: other.count("went", url, TAG, one.device) == 1)


async def test_an_aborted_connection_is_back_within_seconds_and_nobody_sees_it(
    server: SignalServer, node: MakeNode
) -> None:
    one, other = node(10), node(11)
    await other.listen()
    url = await one.connect(server.url, TAG)
    await other.connect(server.url, TAG)
    ours, theirs = await one.call(other, url)
    socket = one.clients._servers[url]._socket
    assert socket is not None
    socket._connection.transport.abort()
    await one.until_phase(url, ServerPhase.WAITING)
    ours.send(b"meanwhile")
    theirs.send(b"other way")
    await one.until_phase(url, ServerPhase.READY)
    assert await asyncio.wait_for(theirs.receive(), 20) == b"meanwhile"
    assert await asyncio.wait_for(ours.receive(), 20) == b"other way"
    assert other.count("went") == 0
    assert one.count("went") == 0


@pytest.mark.long
async def test_a_server_that_is_killed_and_restarted_ends_no_stream(node: MakeNode) -> None:
    with signal_server() as first:
        one, other = node(12), node(13)
        await other.listen()
        url = await one.connect(first.url, TAG)
        await other.connect(first.url, TAG)
        ours, theirs = await one.call(other, url)
        for number in range(2000):
            ours.send(b"%d" % number * 50)
        first.kill()
        await one.until_phase(url, ServerPhase.WAITING)
        second = start_server(port=first.port)
        try:
            for number in range(2000):
                assert await asyncio.wait_for(theirs.receive(), 20) == b"%d" % number * 50
            theirs.send(b"still here")
            assert await asyncio.wait_for(ours.receive(), 20) == b"still here"
        finally:
            second.process.kill()
            second.process.communicate(timeout=30)


async def test_the_newest_of_two_connections_wins_and_the_older_waits_longer(
    server: SignalServer, node: MakeNode
) -> None:
    one, copy = node(14), node(14)
    url = await one.connect(server.url, TAG)
    await copy.connect(server.url, TAG)
    state = await one.until_phase(url, ServerPhase.WAITING)
    assert state.code == "refused"
    assert "same keys" in state.words
    assert "same profile" in state.hint


async def test_the_login_is_renewed_before_it_is_over(server: SignalServer, node: MakeNode) -> None:
    one = node(15)
    url = await one.connect(server.url)
    client = one.clients._servers[url]
    client._renew()
    await until(lambda: not client._renewing)
    assert one.clients.state(url).phase is ServerPhase.READY


@pytest.mark.long
async def test_streams_outlive_a_server_that_dies_again_and_again(node: MakeNode) -> None:
    server = start_server()
    try:
        one, other = node(16), node(17)
        await other.listen()
        url = await one.connect(server.url, TAG)
        await other.connect(server.url, TAG)
        ours, theirs = await one.call(other, url)
        got: list[bytes] = []

        async def receive() -> None:
            while len(got) < 400:
                got.append(await theirs.receive())

        receiving = asyncio.ensure_future(receive())
        for number in range(400):
            ours.send(b"%d" % number)
            await asyncio.sleep(0.02)
            if number % 100 == 50:
                server.kill()
                await asyncio.sleep(1.5)
                server = start_server(port=server.port)
        await asyncio.wait_for(receiving, 20)
        assert got == [b"%d" % number for number in range(400)]
    finally:
        server.process.kill()
        server.process.communicate(timeout=30)


async def test_two_addresses_of_one_server_do_not_push_each_other_out(
    server: SignalServer, node: MakeNode
) -> None:
    one = node(40)
    first = await one.connect(server.url)
    second = await one.connect(server.url.replace("127.0.0.1", "localhost"))
    state = await one.until_phase(first, ServerPhase.WAITING)
    assert state.code == "same_server"
    assert str(second) in state.words
    one.clients.remove(second)
    one.clients.wake()
    await one.until_phase(first, ServerPhase.READY)
    assert one.clients.state(first).code == ""
