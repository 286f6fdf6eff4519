"""A member who sends nonsense of every kind for minutes: no bug, and the honest ones agree."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from folkmoot.api import shapes
from folkmoot.api.answers import answer
from folkmoot.domain.bodies import Open
from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import ZERO, ConversationId, EntryId, LogKey, PersonId
from folkmoot.services.node import Node
from sim.attackers import RawLink, Traitor, segment, turn
from sim.loop import sim_loop
from sim.nonsense import Nonsense
from sim.stories import gather, reads
from sim.world import START_MS, World

pytestmark = pytest.mark.blocks_loop("a simulation is one thread: its store runs inline")


async def flood(traitor: Traitor, direct: ConversationId, seed: int, frames: int) -> None:
    """Send `frames` frames of nonsense to ann, on a new link whenever she hangs up."""
    chance = random.Random(seed)
    keys, ann = traitor.keyring, traitor.world["ann"]
    known: list[bytes] = [traitor.crew.team, traitor.crew.channel, direct, ZERO]
    known += [traitor.grant, keys.device, keys.person, ann.keyring.device, ann.keyring.person]
    nonsense = Nonsense(chance, known)
    link = await traitor.link("ann")
    for number in range(frames):
        if link.closed:
            link = await _again(traitor, link)
        if chance.random() < 0.5:
            link.send(nonsense.frame())
        else:
            _write(traitor, link, nonsense, chance, direct)
        if number % 20 == 0:
            await asyncio.sleep(chance.choice((0, 0.01, 1)))
            await _look(traitor, (traitor.crew.team, traitor.crew.channel, direct))
    await asyncio.sleep(5)
    await link.aclose()


async def _again(traitor: Traitor, old: RawLink) -> RawLink:
    while True:
        await asyncio.sleep(1)
        try:
            return await traitor.link("ann")
        except FolkmootError:
            await old.aclose()


def _write(
    traitor: Traitor,
    link: RawLink,
    nonsense: Nonsense,
    chance: random.Random,
    direct: ConversationId,
) -> None:
    place = chance.choice((traitor.crew.team, traitor.crew.channel, direct))
    log = traitor.log(place)
    persons: tuple[PersonId, ...] = ()
    if place == direct:
        log = LogKey(direct, traitor.keyring.device, EntryId(ZERO))
        persons = tuple(sorted((traitor.keyring.person, traitor.world["ann"].keyring.person)))
    if log not in traitor.held:
        traitor.held[log] = traitor.entry(log, Open(traitor.keyring.signed, persons), None)
        link.send(segment(traitor.held[log]))
    wall_ms = chance.choice((0, START_MS, START_MS + 10**7, 2**63 - 1))
    try:
        entry = traitor.entry(log, nonsense.body(), traitor.held[log], wall_ms=wall_ms)
    except FolkmootError:
        return  # out of bounds: it cannot even be encoded
    if chance.random() < 0.9:
        traitor.held[log] = entry
        nonsense.ids.append(entry.id)
    link.send(segment(entry))


async def _look(traitor: Traitor, places: tuple[ConversationId, ...]) -> None:
    """See what ann took, so that the next entries fit again."""
    store = traitor.world["ann"].store
    for place in places:
        for held in await store.heads(place):
            if held.head.log.device == traitor.keyring.device:
                entry = await store.entry(held.head.id)
                assert entry is not None
                traitor.held[held.head.log] = entry


async def read_everything(node: Node, team: ConversationId) -> None:
    """Whatever was stored can be read and told."""
    for conversation in await node.conversations.list():
        answer(shapes.session(conversation))
        for message in (await node.messages.page(conversation.id)).messages:
            answer(shapes.message(message))
            await node.messages.revisions(message.id)
            await node.messages.delivery(message.id)
    for member in node.teams.members(team):
        answer(shapes.member(member))
    for presence in node.presence.list():
        answer(shapes.presence(presence))


@pytest.mark.parametrize("seed", range(3))
def test_nonsense_of_a_member_leaves_the_others_alike_and_well(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    async def story() -> None:
        world = World(["ann", "ben", "mal"], tmp_path)
        crew = await gather(world, ["ann", "ben", "mal"])
        ann, ben = world["ann"], world["ben"]
        direct = await ann.node.conversations.open_direct(None, [world["mal"].keyring.person])
        traitor = await turn(world, "mal", crew)
        await flood(traitor, direct.id, seed, 400)
        await ben.node.messages.post(crew.channel, "all is well")
        await reads(world, "ann", crew, within_s=5)
        await read_everything(ann.node, crew.team)
        await asyncio.sleep(130)
        for place in (crew.team, crew.channel):
            assert await ann.store.heads(place) == await ben.store.heads(place)
        assert ann.node.registry.team(crew.team) == ben.node.registry.team(crew.team)
        assert ann.bugs == ben.bugs == []
        await world.aclose()

    loop = sim_loop(seed, step_budget=20_000_000)
    loop.run(story())
    assert loop.failures == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
