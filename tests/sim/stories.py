"""Beginnings that several simulations share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from folkmoot.domain.ids import ConversationId
from folkmoot.services.node import Node
from sim.world import World, until


@dataclass(frozen=True)
class Crew:
    """A team of all hosts of a world, and its first channel."""

    team: ConversationId
    channel: ConversationId
    invitation: str


async def found(world: World, founder: str) -> Crew:
    """Boot the founder and start the team."""
    node = await world[founder].boot()
    team = await node.teams.create("Crew")
    invite = await node.teams.invite(team.id)
    [channel] = await node.conversations.list()
    return Crew(team.id, channel.id, invite.link)


async def gather(world: World, names: Sequence[str]) -> Crew:
    """All hosts run and are members, linked with each other."""
    crew = await found(world, names[0])
    for name in names[1:]:
        node = await world[name].boot()
        await node.joining.join(crew.invitation)
    for name in names:
        node = world[name].node
        await until(partial(_is_gathered, node, crew, len(names)), 60)
    return crew


def _is_gathered(node: Node, crew: Crew, count: int) -> bool:
    members = len(node.teams.members(crew.team))
    return len(node.links.members()) == count - 1 and members == count


async def texts(world: World, name: str, crew: Crew) -> list[str]:
    """What a person reads in the first channel, oldest first."""
    page = await world[name].node.messages.page(crew.channel)
    return [message.text for message in page.messages]


async def reads(world: World, name: str, crew: Crew, *wanted: str, within_s: float = 30) -> None:
    """Wait until a person reads all of `wanted`."""
    end = asyncio.get_running_loop().time() + within_s
    while not set(wanted) <= set(got := await texts(world, name, crew)):
        assert asyncio.get_running_loop().time() < end, f"{name} reads {got}, not {wanted}"
        await asyncio.sleep(0.05)
