"""Nodes over real TLS with real stores: what the simulations show, once more for true."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId
from folkmoot.services.events import Event, MessageCreated
from folkmoot.services.node import Node
from folkmoot.services.values import LinkState
from integration.linked.nodes import open_node, until, until_true


class Crew:
    """Nodes of one team."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes: dict[str, Node] = {}
        self.channel = ConversationId(b"")
        self.link = ""

    async def add(self, name: str) -> Node:
        """Start a node; the first founds the team, the others join it."""
        node = self.nodes[name] = await open_node(name, self.folder)
        if not self.link:
            team = await node.teams.create("Crew")
            self.link = (await node.teams.invite(team.id)).link
            [channel] = await node.conversations.list()
            self.channel = channel.id
        elif not node.teams.list():
            await node.joining.join(self.link)
        return node

    async def stop(self, name: str) -> None:
        """Close a node."""
        await self.nodes.pop(name).aclose()

    async def has(self, name: str, text: str) -> bool:
        """Whether a person reads `text` among the newest messages."""
        page = await self.nodes[name].messages.page(self.channel)
        return any(message.text == text for message in page.messages)


@pytest.fixture
async def crew(tmp_path: Path) -> AsyncIterator[Crew]:
    """A team without members yet."""
    crew = Crew(tmp_path)
    yield crew
    for node in crew.nodes.values():
        await node.aclose()


async def test_two_nodes_exchange_messages_over_tls(crew: Crew) -> None:
    ann, ben = await crew.add("ann"), await crew.add("ben")
    heard: list[Event] = []
    ben.events.listen(heard.append)
    posted = await ann.messages.post(crew.channel, "hello")
    await until(lambda: any(isinstance(event, MessageCreated) for event in heard))
    await ben.messages.post(crew.channel, "and back")
    await until_true(lambda: crew.has("ann", "and back"))

    async def stored_on_both() -> bool:
        return len((await ann.messages.delivery(posted.id)).stored_on) == 2

    await until_true(stored_on_both)


async def test_a_third_member_delivers_while_the_author_is_away(crew: Crew) -> None:
    await crew.add("ann")
    await crew.add("ben")
    await crew.add("cyd")
    await until(lambda: len(crew.nodes["cyd"].links.members()) == 2)
    await crew.stop("cyd")
    await crew.nodes["ann"].messages.post(crew.channel, "while you slept")
    await until_true(lambda: crew.has("ben", "while you slept"))
    await crew.stop("ann")
    await crew.add("cyd")
    await until_true(lambda: crew.has("cyd", "while you slept"))


async def test_a_link_that_breaks_is_made_again(crew: Crew) -> None:
    ann, ben = await crew.add("ann"), await crew.add("ben")
    await until(lambda: bool(ann.links.members()) and bool(ben.links.members()))
    [link] = ann.links.members()
    link.close("dead", "The test cuts it.")
    await until(lambda: not link.closed or ann.links.get(link.device) is not link)
    await until(lambda: ann.links.get(link.device) is not None)
    assert ann.peers.list()[0].state is LinkState.LINKED


async def test_a_typed_address_of_nobody_is_said_so(crew: Crew) -> None:
    ann = await crew.add("ann")
    with pytest.raises(UserError) as refused:
        await ann.peers.dial("127.0.0.1:1")
    assert refused.value.code == "unreachable"


async def test_what_was_missed_arrives_in_bulk(crew: Crew) -> None:
    ann, ben = await crew.add("ann"), await crew.add("ben")
    await until(lambda: bool(ann.links.members()))
    await crew.stop("ben")
    for number in range(400):
        await ann.messages.post(crew.channel, f"note {number}")
    ben = await crew.add("ben")

    async def all_there() -> bool:
        return (await ben.conversations.get(crew.channel)).messages == 400

    await until_true(all_there)
