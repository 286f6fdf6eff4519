"""A direct way takes over from a real server: real QUIC behind it, real TLS, real stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import ConversationId
from folkmoot.domain.servers import RELAY_PREFIX
from folkmoot.net.relay import Relays
from folkmoot.net.signaling import SignalingClients
from folkmoot.net.tls import TlsTransport
from folkmoot.net.ways import WaysTransport
from folkmoot.protocol import frames
from folkmoot.protocol.invites import read_link, write_link
from folkmoot.services.events import (
    Event,
    EventQueue,
    MessageCreated,
    MessagesArrived,
    PresenceChanged,
)
from folkmoot.services.link import Link
from folkmoot.services.node import Node
from folkmoot.services.ports import Stream
from folkmoot.services.values import PresenceState, ServerPhase, Way
from integration.linked.nodes import ChanceByName, open_node, until
from lab.signal_server import SignalServer, start_server
from sim.world import keys_of

pytestmark = pytest.mark.long


class Gate:
    """A transport whose ways but for servers open when the test says so."""

    def __init__(self, ways: WaysTransport) -> None:
        self.ways = ways
        self.open = False

    async def listen(
        self, addresses: Sequence[str], accept: Callable[[Stream], Awaitable[None]]
    ) -> list[str]:
        """As the real one."""
        return await self.ways.listen(addresses, accept)

    async def dial(self, address: str, timeout_s: float) -> Stream:
        """Only through servers, while it is not open."""
        if not self.open and not address.startswith(RELAY_PREFIX):
            raise EnvironmentFault("unreachable", "There is no way to it yet.")
        return await self.ways.dial(address, timeout_s)

    async def addresses(self) -> list[str]:
        """As the real one."""
        return await self.ways.addresses()

    async def aclose(self) -> None:
        """As the real one."""
        await self.ways.aclose()


async def _open(name: str, folder: Path) -> tuple[Node, Gate]:
    relays = Relays()
    gate = Gate(WaysTransport(TlsTransport(), relays))
    signer = keys_of(name).device_key
    clients = SignalingClients(lambda: signer, ChanceByName(name), relays)
    return await open_node(name, folder, transport=gate, signaling=clients), gate


@pytest.fixture
async def server() -> AsyncIterator[SignalServer]:
    """A real server."""
    started = await asyncio.to_thread(start_server)
    yield started
    await asyncio.to_thread(started.kill)


@pytest.fixture
async def pair(tmp_path: Path, server: SignalServer) -> AsyncIterator[list[tuple[Node, Gate]]]:
    """Two members who are linked through the server."""
    (ann, one), (ben, other) = await _open("ann", tmp_path), await _open("ben", tmp_path)
    await ann.servers.add(server.url)
    await until(lambda: ann.servers.list()[0].phase is ServerPhase.READY)
    team = await ann.teams.create("Crew")
    link = read_link((await ann.teams.invite(team.id)).link)
    await ben.joining.join(write_link(replace(link, addresses=link.servers)))
    await until(lambda: [link.way for link in ben.links.members()] == [Way.RELAY])
    yield [(ann, one), (ben, other)]
    await ann.aclose()
    await ben.aclose()


async def test_nothing_is_lost_doubled_or_late_when_a_better_way_takes_over(
    pair: list[tuple[Node, Gate]],
) -> None:
    (ann, one), (ben, other) = pair
    told: list[Event] = []
    ben.events.listen(told.append)
    queue, got = ben.events.queue(10_000), list[int]()
    ben.links.handle(frames.Want, _collector(got))
    loop = asyncio.get_running_loop()
    posting = loop.create_task(_post(ann, 150))
    numbering = loop.create_task(_number(ann, 400))
    arriving = loop.create_task(_arrivals(ben, queue, 150))
    await asyncio.sleep(0.4)
    one.open = other.open = True
    ann.peers.network_changed()
    await until(lambda: {link.way for link in ben.links.members()} == {Way.DIRECT}, 5)
    sent, arrived = await posting, await arriving
    await numbering
    assert [text for text, _ in arrived] == [text for text, _ in sent]
    slowest_s = max(at - then for (_, at), (_, then) in zip(arrived, sent, strict=True))
    assert slowest_s < 1.0
    await until(lambda: len(got) >= 400)
    assert sorted(got) == list(range(400))
    presences = [event.presence for event in told if isinstance(event, PresenceChanged)]
    assert {presence.state for presence in presences} <= {PresenceState.ONLINE}
    assert len(ann.links.members()) == len(ben.links.members()) == 1
    await until(lambda: not ann.links.draining() and not ben.links.draining(), 4)


def _collector(got: list[int]) -> Callable[[Link, frames.Want], Awaitable[None]]:
    async def take(_link: Link, frame: frames.Want) -> None:
        got.append(int.from_bytes(frame.conversation, "big"))

    return take


async def _post(node: Node, count: int) -> list[tuple[str, float]]:
    [channel] = await node.conversations.list()
    sent = []
    for number in range(count):
        sent.append((f"text {number}", asyncio.get_running_loop().time()))
        await node.messages.post(channel.id, sent[-1][0])
        await asyncio.sleep(0.005)
    return sent


async def _number(node: Node, count: int) -> None:
    """Frames that nobody sends again."""
    for number in range(count):
        [link] = node.links.members()
        link.send(frames.Want(ConversationId(number.to_bytes(32, "big")), ()))
        await asyncio.sleep(0.003)


async def _arrivals(node: Node, queue: EventQueue, count: int) -> list[tuple[str, float]]:
    """(text, when it was told) of each message; many at once are told as a number only."""
    [channel] = await node.conversations.list()
    arrived: list[tuple[str, float]] = []
    while len(arrived) < count:
        event = await asyncio.wait_for(queue.get(), 20)
        now = asyncio.get_running_loop().time()
        if isinstance(event, MessageCreated):
            arrived.append((event.message.text, now))
        elif isinstance(event, MessagesArrived):
            page = await node.messages.page(channel.id, limit=200)
            last = len(arrived) + event.count
            arrived += [(one.text, now) for one in page.messages[len(arrived) : last]]
    return arrived
