"""Asking to be let in lives through restarts on both sides, and ends where it should."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fakes.transport import Faults
from folkmoot.domain.errors import UserError
from folkmoot.services.admission import REQUEST_LIFE_S
from folkmoot.services.events import AskAnswered
from sim.loop import sim_loop
from sim.stories import Crew, found
from sim.world import Host, World, until

pytestmark = pytest.mark.blocks_loop("a simulation is one thread: its store runs inline")


async def _asked(world: World) -> Crew:
    """Ben asked to be let into ann's team, and ann sees it."""
    crew = await found(world, "ann")
    await world["ben"].boot()
    await _ask(world, crew)
    await _waits(world["ann"])
    return crew


async def _ask(world: World, crew: Crew) -> None:
    ben = world["ben"].node
    ben.nearby.start()
    await until(lambda: len(ben.nearby.teams()) == 1, 10)
    await ben.joining.ask(crew.team, "let me in")


async def _waits(host: Host, within_s: float = 90) -> None:
    await until(lambda: len(host.node.joining.requests()) == 1, within_s)


async def _admitted(world: World, crew: Crew) -> None:
    await world["ann"].node.joining.admit(crew.team, world["ben"].keyring.person)
    await until(lambda: len(world["ben"].node.teams.list()) == 1, 30)


def _answers(host: Host) -> list[str]:
    told: list[str] = []
    host.node.events.listen(
        lambda event: told.append(event.state) if isinstance(event, AskAnswered) else None
    )
    return told


def test_a_request_survives_a_restart_of_who_asks(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path, discovery=True)
        crew = await _asked(world)
        await world["ben"].crash()
        await asyncio.sleep(30)
        await world["ben"].boot()
        await _linked_request(world)
        [request] = world["ann"].node.joining.requests()
        assert (request.name, request.note) == ("ben", "let me in")
        await _admitted(world, crew)
        await world.aclose()

    sim_loop(51).run(story())


async def _linked_request(world: World) -> None:
    """Ann's request is on a link that lives."""
    ann, ben = world["ann"].node, world["ben"].keyring.device
    await until(lambda: any(link.device == ben for link in ann.links.strangers()), 90)
    await asyncio.sleep(3)


def test_a_request_survives_a_restart_of_who_may_admit(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path, discovery=True)
        crew = await _asked(world)
        await world["ann"].crash()
        await asyncio.sleep(30)
        await world["ann"].boot()
        assert world["ann"].node.joining.requests() == []
        await _waits(world["ann"])
        await _admitted(world, crew)
        await world.aclose()

    sim_loop(52).run(story())


def test_who_was_blocked_cannot_ask_again_also_after_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path, discovery=True)
        crew = await _asked(world)
        answers = _answers(world["ben"])
        ann, ben = world["ann"], world["ben"]
        await ann.node.joining.decline(crew.team, ben.keyring.person, block=True)
        await until(lambda: answers == ["declined"], 10)
        await _ask(world, crew)
        await until(lambda: answers == ["declined"] * 2, 30)
        await ann.stop()
        await ann.boot()
        await asyncio.sleep(60)
        await _ask(world, crew)
        await until(lambda: answers == ["declined"] * 3, 60)
        assert ann.node.joining.requests() == []
        await world.aclose()

    sim_loop(53).run(story())


def test_who_was_declined_without_a_block_may_ask_again(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path, discovery=True)
        crew = await _asked(world)
        answers = _answers(world["ben"])
        await world["ann"].node.joining.decline(crew.team, world["ben"].keyring.person)
        await until(lambda: answers == ["declined"], 10)
        await _ask(world, crew)
        await _waits(world["ann"])
        await world.aclose()

    sim_loop(54).run(story())


def test_a_request_whose_link_is_gone_is_kept_for_ten_minutes(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path, discovery=True)
        crew = await _asked(world)
        ann = world["ann"].node
        await world["ben"].stop()
        await asyncio.sleep(REQUEST_LIFE_S - 30)
        assert len(ann.joining.requests()) == 1
        await asyncio.sleep(60)
        assert ann.joining.requests() == []
        with pytest.raises(UserError) as gone:
            await ann.joining.admit(crew.team, world["ben"].keyring.person)
        assert gone.value.code == "not_found"
        await world.aclose()

    sim_loop(55).run(story())


def test_who_is_admitted_while_away_is_in_when_they_come_back(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path, discovery=True)
        crew = await _asked(world)
        await world["ben"].crash()
        await asyncio.sleep(20)
        await world["ann"].node.joining.admit(crew.team, world["ben"].keyring.person)
        node = await world["ben"].boot()
        await until(lambda: len(node.teams.list()) == 1, 90)
        await world.aclose()

    sim_loop(56).run(story())


def test_who_was_let_in_by_an_invitation_and_never_heard_it_gets_in_later(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await found(world, "ann")
        ann, ben = world["ann"], world["ben"]
        node = await ben.boot()
        world.network.faults = Faults(delay_s=(0.05, 0.05))
        joining = asyncio.ensure_future(node.joining.join(crew.invitation))
        await until(lambda: len(ann.node.teams.members(crew.team)) == 2, 10, 0.01)
        await ben.crash()
        joining.cancel()
        assert len(ann.node.teams.members(crew.team)) == 2
        node = await ben.boot()
        assert node.teams.list() == []
        await until(lambda: len(node.teams.list()) == 1, 90)
        await world.aclose()

    sim_loop(57).run(story())
