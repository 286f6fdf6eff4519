"""One message between two nodes: over a server beside straight, both commits included.

From the call that posts to the event that tells of it at the other node, in milliseconds. Both
pairs are in this process, with real stores (`synchronous=FULL`), real TLS, and for the one a real
server with its limits; messages of 300 characters, one at a time, the pairs in turn.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bench.measurement import Measurement
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import ConversationId
from folkmoot.domain.servers import RELAY_PREFIX
from folkmoot.net.relay import Relays
from folkmoot.net.signaling import SignalingClients
from folkmoot.net.tls import TlsTransport
from folkmoot.net.ways import WaysTransport
from folkmoot.protocol.invites import read_link, write_link
from folkmoot.services.events import EventQueue, MessageCreated
from folkmoot.services.node import Node
from folkmoot.services.ports import Stream
from folkmoot.services.values import ServerPhase, Way
from integration.linked.nodes import ChanceByName, open_node, until
from lab.signal_server import SignalServer, start_server
from sim.world import keys_of

ROUNDS, PER_ROUND, WARM = 8, 25, 10
TEXT = "What was agreed at the harbour on Tuesday still holds, weather or not " * 4 + "."


class RelayOnly(WaysTransport):
    """Dials through servers alone."""

    async def dial(self, address: str, timeout_s: float) -> Stream:
        """Refuses every other address."""
        if not address.startswith(RELAY_PREFIX):
            raise EnvironmentFault("unreachable", "This node goes through servers only.")
        return await super().dial(address, timeout_s)


class Pair:
    """Two members of one team, linked one way."""

    def __init__(self, ann: Node, ben: Node, channel: ConversationId, arrived: EventQueue) -> None:
        self._ann, self._ben, self._channel, self._arrived = ann, ben, channel, arrived

    async def message_ms(self, text: str) -> float:
        """Post one and wait until the other node has it."""
        began = time.perf_counter()
        await self._ann.messages.post(self._channel, text)
        async with asyncio.timeout(10):
            while True:
                event = await self._arrived.get()
                if isinstance(event, MessageCreated) and event.message.text == text:
                    return (time.perf_counter() - began) * 1000

    async def aclose(self) -> None:
        """Close both nodes."""
        await self._ann.aclose()
        await self._ben.aclose()


def measure() -> Iterable[Measurement]:
    """Interleave both pairs."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("straight", "around"):
            Path(folder, name).mkdir()
        straight, around = asyncio.run(_measure(Path(folder)))
    late = statistics.quantiles(around, n=20)[-1]
    return [
        Measurement(
            "one message over a server, p50",
            around,
            "ms",
            at_most=3.0,
            baseline=straight,
            of_ratio=True,
            note=f"p95 {late:.1f}",
        )
    ]


async def _measure(folder: Path) -> tuple[list[float], list[float]]:
    server = await asyncio.to_thread(start_server)
    around = await _pair(folder / "around", server, straight=False)
    straight = await _pair(folder / "straight", server, straight=True)
    found: tuple[list[float], list[float]] = ([], [])
    for number in range(WARM):
        for pair in (straight, around):
            await pair.message_ms(f"warm {number}")
    for turn in range(ROUNDS):
        for pair, samples in zip((straight, around), found, strict=True):
            for number in range(PER_ROUND):
                samples.append(await pair.message_ms(f"{turn} {number} {TEXT}"))
    await around.aclose()
    await straight.aclose()
    await asyncio.to_thread(server.kill)
    return found


async def _pair(folder: Path, server: SignalServer, *, straight: bool) -> Pair:
    names = [f"{who} {folder.name}" for who in ("ann", "ben")]
    ann, ben = [await _open(name, folder, straight=straight) for name in names]
    if not straight:
        await ann.servers.add(server.url)
        await until(lambda: ann.servers.list()[0].phase is ServerPhase.READY)
    team = await ann.teams.create("Crew")
    link = (await ann.teams.invite(team.id)).link
    if not straight:
        read = read_link(link)
        link = write_link(replace(read, addresses=read.servers))
    await ben.joining.join(link)
    wanted = [Way.RELAY] if not straight else [Way.DIRECT]
    await until(lambda: [link.way for link in ben.links.members()] == wanted)
    channel = (await ann.conversations.list())[0].id
    return Pair(ann, ben, channel, ben.events.queue(10_000))


async def _open(name: str, folder: Path, *, straight: bool) -> Node:
    relays = Relays()
    kind = WaysTransport if straight else RelayOnly
    signer = keys_of(name).device_key
    clients = SignalingClients(lambda: signer, ChanceByName(name), relays)
    return await open_node(name, folder, transport=kind(TlsTransport(), relays), signaling=clients)
