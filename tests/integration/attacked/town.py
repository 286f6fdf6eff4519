"""Shipped nodes that reach each other through servers alone, and what must hold in the end."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

from folkmoot.domain.ids import ConversationId, DeviceId, PersonId
from folkmoot.net.ice import IceWays
from folkmoot.net.relay import Relays
from folkmoot.net.sealing import HpkeSealer
from folkmoot.net.signaling import SignalingClients
from folkmoot.net.tls import TlsTransport
from folkmoot.net.ways import WaysTransport
from folkmoot.services.attempts import Unreachable
from folkmoot.services.node import Installation, Node
from folkmoot.services.ports import Stream
from folkmoot.services.values import ServerPhase
from folkmoot.storage.store import SqliteStore
from folkmoot.system.clock import SystemClock
from integration.linked.nodes import until, until_true
from sim.world import WORD_LIST, keys_of


class Chance:
    """Random bytes, and hardly any jitter."""

    def bytes(self, count: int) -> bytes:
        return random.SystemRandom().randbytes(count)

    def uniform(self, low: float, high: float) -> float:
        return min(low, 0.2)


class Blocked(TlsTransport):
    """TCP in a network that lets nobody through, until `open`."""

    open = False

    async def dial(self, address: str, timeout_s: float) -> Stream:  # type: ignore[override]
        if not self.open:
            raise Unreachable("no_answer", f"{address} was not reached: it does not answer.")
        return await super().dial(address, timeout_s)


class Resident:
    """A node and its parts."""

    def __init__(self, name: str, node: Node, tcp: Blocked, clients: SignalingClients) -> None:
        self.name, self.node, self.tcp, self.clients = name, node, tcp, clients
        self.relays: Relays = clients._relays

    @property
    def device(self) -> DeviceId:
        return self.node.identity.keyring.device

    @property
    def person(self) -> PersonId:
        return self.node.identity.person

    @property
    def linked(self) -> set[DeviceId]:
        """Devices with which there is a member link."""
        return {link.device for link in self.node.links.members()}

    def ready(self) -> bool:
        """Whether every server is reached."""
        return all(one.phase is ServerPhase.READY for one in self.node.servers.list())


class Town:
    """All nodes of a test, what they wrote, and what went wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.residents: dict[str, Resident] = {}
        self.said: list[tuple[PersonId, str]] = []
        self.faults: list[dict[str, Any]] = []
        self.channel = ConversationId(b"")
        asyncio.get_running_loop().set_exception_handler(lambda _, said: self.faults.append(said))

    async def open(self, name: str, *servers: str, ice: bool = False) -> Resident:
        """Start a node on what is stored under its name."""
        keyring, clock, chance = keys_of(name), SystemClock(), Chance()
        store = await SqliteStore.open(
            self.folder / f"{name}.sqlite3", keyring.person, keyring.device, clock=clock
        )

        async def save(_keyring: object) -> None:
            return None

        tcp, relays = Blocked(), Relays()
        ways = WaysTransport(tcp, relays)
        clients = SignalingClients(lambda: keyring.device_key, chance, relays)
        node = Node(
            Installation(keyring, WORD_LIST[:4], WORD_LIST, "test", name, save),
            store,
            clock,
            chance,
            ways,
            signaling=clients,
            sealer=HpkeSealer(),
            ice=IceWays(ways.over) if ice else None,
        )
        await node.start(["127.0.0.1:0"], servers=servers)
        resident = self.residents[name] = Resident(name, node, tcp, clients)
        await until(resident.ready)
        return resident

    async def close(self, name: str) -> None:
        """Stop a node."""
        await self.residents.pop(name).node.aclose()

    async def crew(self, *servers: str, names: str = "ann ben", ice: bool = False) -> None:
        """A team of all of `names`, linked."""
        first, *others = [await self.open(name, *servers, ice=ice) for name in names.split()]
        team = await first.node.teams.create("Crew")
        [channel] = await first.node.conversations.list()
        self.channel = channel.id
        for other in others:
            link = (await first.node.teams.invite(team.id)).link
            assert (await other.node.joining.join(link)).state == "joined"
        for one in self.residents.values():
            await until(lambda one=one: len(one.linked) == len(others))  # type: ignore[misc]

    async def say(self, name: str, text: str) -> None:
        """Write into the channel."""
        resident = self.residents[name]
        await resident.node.messages.post(self.channel, text)
        self.said.append((resident.person, text))

    async def read(self, name: str) -> Counter[tuple[PersonId, str]]:
        """What somebody sees in the channel: who wrote what."""
        page = await self.residents[name].node.messages.page(self.channel, limit=200)
        return Counter((one.author, one.text) for one in page.messages)

    def persons(self) -> list[PersonId]:
        """Everybody's key as a person, which no server is told."""
        return [one.person for one in self.residents.values()]

    async def agree(self, within_s: float = 30) -> None:
        """In the end everybody has everything that was written, once, by whom it was written."""
        wanted = Counter(self.said)
        for name in self.residents:

            async def has_all(name: str = name) -> bool:
                return await self.read(name) == wanted

            await until_true(has_all, within_s)
        for one in self.residents.values():
            persons = {self.residents[name].person for name in self.residents}
            [team] = one.node.teams.list()
            members = {member.person for member in one.node.teams.members(team.id)}
            assert members >= persons
            assert len(members) == self.members, "nobody came into the team"

    members = 2
    """Of the team, also those who are away."""

    def sound(self) -> None:
        """Nothing broke, nothing is left over."""
        assert not self.faults
        for one in self.residents.values():
            codes = {notice.code for notice in one.node.notices()}
            assert "internal_error" not in codes, one.node.notices()

    async def aclose(self) -> None:
        """Stop everybody; nothing may stay."""
        residents = list(self.residents.values())
        for name in list(self.residents):
            await self.close(name)
        for one in residents:
            assert not one.clients._supervisor.names
            assert not one.relays._servers
        assert not self.faults
