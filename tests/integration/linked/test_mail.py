"""Sealed mail between shipped nodes through the shipped server, which is killed in between."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from folkmoot.domain.ids import ConversationId
from folkmoot.net.relay import Relays
from folkmoot.net.sealing import HpkeSealer
from folkmoot.net.signaling import SignalingClients
from folkmoot.net.tls import TlsTransport
from folkmoot.net.ways import WaysTransport
from folkmoot.services import mail as mail_service
from folkmoot.services.node import Installation, Node
from folkmoot.services.values import ServerPhase
from folkmoot.storage.store import SqliteStore
from folkmoot.system.clock import SystemClock
from lab.signal_command import SignalCommand, signal_command
from sim.world import WORD_LIST, keys_of

from .nodes import until, until_true

pytestmark = pytest.mark.long


class Chance:
    """Random bytes, and hardly any jitter."""

    def bytes(self, count: int) -> bytes:
        return random.SystemRandom().randbytes(count)

    def uniform(self, low: float, high: float) -> float:
        return min(low, 0.1)


class Town:
    """Nodes that know of each other by one server, which keeps mail in a file."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.folder = folder
        self.config = folder / "signaling.toml"
        self.lines = ['mailbox_file = "mailbox"', *lines]
        self.url = ""
        self.nodes: dict[str, Node] = {}

    def serve(self) -> SignalCommand:
        """Start the server, at the port that it had."""
        self.config.write_text("\n".join(self.lines) + "\n")
        port = self.url.rpartition(":")[2] or "0"
        self.context = signal_command(
            *("--config", str(self.config), "--listen", f"127.0.0.1:{port}")
        )
        server = self.context.__enter__()
        self.url = server.url
        return server

    async def boot(self, name: str) -> Node:
        """Start a node on what is stored, with the server ready."""
        keyring, clock, chance = keys_of(name), SystemClock(), Chance()
        store = await SqliteStore.open(
            self.folder / f"{name}.sqlite3", keyring.person, keyring.device, clock=clock
        )

        async def save(_keyring: object) -> None:
            return None

        installation = Installation(keyring, WORD_LIST[:4], WORD_LIST, "test", name, save)
        relays = Relays()
        node = self.nodes[name] = Node(
            *(installation, store, clock, chance, WaysTransport(TlsTransport(), relays)),
            signaling=SignalingClients(lambda: keyring.device_key, chance, relays),
            sealer=HpkeSealer(),
        )
        await node.start(["127.0.0.1:0"], servers=[self.url])
        await until(lambda: node.servers.list()[0].phase is ServerPhase.READY)
        return node

    async def stop(self, name: str) -> None:
        """Stop a node."""
        await self.nodes.pop(name).aclose()

    async def aclose(self) -> None:
        """Stop everything."""
        for name in list(self.nodes):
            await self.stop(name)
        self.context.__exit__(None, None, None)


@pytest.fixture
async def town(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Town]:
    """A server and nobody yet; a moment is short in this town."""
    monkeypatch.setattr(mail_service, "GATHER_S", 0.1)
    monkeypatch.setattr(mail_service, "LOST_S", 0.2)
    monkeypatch.setattr(mail_service, "THERE_S", 0.2)
    made = Town(tmp_path, *getattr(request, "param", ()))
    yield made
    await made.aclose()


async def crew(town: Town) -> ConversationId:
    """Ann and ben are in a team and gave each other leave; the channel."""
    ann, ben = await town.boot("ann"), await town.boot("ben")
    team = await ann.teams.create("Crew")
    [channel] = await ann.conversations.list()
    await ben.joining.join((await ann.teams.invite(team.id)).link)
    for node, other in ((ann, ben), (ben, ann)):
        await until(lambda node=node: len(node.links.members()) == 1)  # type: ignore[misc]
        device = other.identity.keyring.device
        await until(lambda node=node, device=device: _may_leave(node, device))  # type: ignore[misc]
    return channel.id


def _may_leave(node: Node, device: object) -> bool:
    mail = node._network.mail
    return mail is not None and device in mail._grants.devices()


async def read(node: Node, channel: ConversationId) -> list[str]:
    return [message.text for message in (await node.messages.page(channel)).messages]


async def test_a_message_comes_from_the_server_alone_that_was_killed_meanwhile(
    town: Town,
) -> None:
    server = town.serve()
    channel = await crew(town)
    await town.stop("ben")
    ann = town.nodes["ann"]
    posted = await ann.messages.post(channel, "while you were away")

    async def waits() -> bool:
        return bool((await ann.messages.delivery(posted.id)).sealed)

    await until_true(waits)
    [kept] = (await ann.messages.delivery(posted.id)).sealed
    assert kept.server == town.url
    await town.stop("ann")
    server.process.kill()
    server.process.wait(30)
    assert b"while you were away" not in (town.folder / "mailbox").read_bytes()
    server = town.serve()
    ben = await town.boot("ben")

    async def has_it() -> bool:
        return await read(ben, channel) == ["while you were away"]

    await until_true(has_it)
    assert ben.links.members() == []

    async def is_empty() -> bool:
        return b"folkmoot_signaling_mail_waiting 0.0" in (await server.ask("/metrics")).body

    await until_true(is_empty)
    await town.stop("ben")
    ben = await town.boot("ben")
    assert await has_it()
    ann = await town.boot("ann")

    async def is_acknowledged() -> bool:
        return len((await ann.messages.delivery(posted.id)).stored_on) == 2

    await until_true(is_acknowledged)
    assert await has_it()


@pytest.mark.parametrize("town", [("[mail]", "pair_count = 1")], indirect=True)
async def test_what_a_full_mailbox_does_not_take_comes_by_a_link(town: Town) -> None:
    server = town.serve()
    channel = await crew(town)
    await town.stop("ben")
    ann = town.nodes["ann"]

    async def counted(line: str) -> bool:
        return line.encode() in (await server.ask("/metrics")).body

    await ann.messages.post(channel, "one")
    await until_true(lambda: counted("folkmoot_signaling_mail_waiting 1.0"))
    await ann.messages.post(channel, "two")
    await until_true(lambda: counted("folkmoot_signaling_mail_refused_total 1.0"))
    ben = await town.boot("ben")

    async def has_both() -> bool:
        return await read(ben, channel) == ["one", "two"]

    await until_true(has_both)
