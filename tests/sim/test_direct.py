"""Direct ways between members who met at a server, on virtual time: found, lost, found again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fakes.ice import IceField
from folkmoot.services.events import Event, PresenceChanged
from folkmoot.services.values import PresenceState, Way
from sim.loop import sim_loop
from sim.stories import Crew, found, reads, texts
from sim.world import Host, World, until

pytestmark = pytest.mark.blocks_loop("a simulation is one thread: its store runs inline")
URL = "wss://talk.example.org"


async def _met(folder: Path, *names: str, is_open: bool = True) -> tuple[World, IceField, Crew]:
    """Members who meet at a server only; between them direct ways can be found, or not."""
    world = World(list(names), folder)
    field = world.ice()
    field.open = is_open
    world.server(URL)
    world.apart()
    crew = await found(world, names[0])
    founder = world[names[0]].node
    await founder.servers.add(URL)
    invite = (await founder.teams.invites(crew.team))[0]
    crew = Crew(crew.team, crew.channel, invite.link)
    for name in names[1:]:
        node = await world[name].boot()
        await node.joining.join(crew.invitation)
    for name in names:
        node = world[name].node
        await until(lambda node=node: len(node.links.members()) == len(names) - 1, 60)  # type: ignore[misc]
    return world, field, crew


def _ways(host: Host) -> set[Way]:
    return {link.way for link in host.node.links.members()}


def test_a_direct_way_takes_the_place_of_the_one_through_the_server(tmp_path: Path) -> None:
    async def story() -> None:
        world, field, crew = await _met(tmp_path, "ann", "ben", "cyd")
        for name in world.hosts:
            await until(lambda name=name: _ways(world[name]) == {Way.NAT}, 10)  # type: ignore[misc]
        await world["cyd"].node.messages.post(crew.channel, "straight")
        await reads(world, "ann", crew, "straight", within_s=1)
        await asyncio.sleep(5)
        for host in world.hosts.values():
            assert len(host.node.links.members()) == 2
            for peer in host.node.peers.list():
                assert peer.address.startswith("nat://")
        assert not field.running()
        await world.aclose()

    sim_loop(1).run(story())


def test_nothing_is_lost_doubled_or_flickers_while_the_way_changes(tmp_path: Path) -> None:
    async def story() -> None:
        world, field, crew = await _met(tmp_path, "ann", "ben", is_open=False)
        told: list[Event] = []
        world["ann"].node.events.listen(told.append)
        wanted = []
        for number in range(30):
            if number == 5:
                field.open = True
            for name in ("ann", "ben"):
                await world[name].node.messages.post(crew.channel, f"{name} {number}")
                wanted.append(f"{name} {number}")
            await asyncio.sleep(0.7)
        assert _ways(world["ann"]) == _ways(world["ben"]) == {Way.NAT}
        for name in ("ann", "ben"):
            await until(lambda name=name: len(world[name].node.links.members()) == 1, 5)  # type: ignore[misc]
            assert sorted(await texts(world, name, crew)) == sorted(wanted)
        away = [
            event
            for event in told
            if isinstance(event, PresenceChanged) and event.presence.state is PresenceState.OFFLINE
        ]
        assert not away
        await world.aclose()

    sim_loop(2).run(story())


def test_a_direct_way_that_breaks_is_bridged_and_found_again(tmp_path: Path) -> None:
    async def story() -> None:
        world, field, crew = await _met(tmp_path, "ann", "ben")
        await until(lambda: _ways(world["ann"]) == {Way.NAT}, 10)
        await asyncio.sleep(100)
        field.open = False
        world.network.break_streams("nat://10.0.0.1", "nat://10.0.0.2")
        await until(lambda: _ways(world["ann"]) == _ways(world["ben"]) == {Way.RELAY}, 20)
        await world["ben"].node.messages.post(crew.channel, "around")
        await reads(world, "ann", crew, "around", within_s=2)
        field.open = True
        await until(lambda: _ways(world["ann"]) == _ways(world["ben"]) == {Way.NAT}, 30)
        await world.aclose()

    sim_loop(3).run(story())


def test_where_no_direct_way_is_the_server_carries_on(tmp_path: Path) -> None:
    async def story() -> None:
        world, field, crew = await _met(tmp_path, "ann", "ben", is_open=False)
        await asyncio.sleep(600)
        assert _ways(world["ann"]) == {Way.RELAY}
        await world["ben"].node.messages.post(crew.channel, "hello")
        await reads(world, "ann", crew, "hello", within_s=2)
        report = await world["ann"].node.doctor.report()
        codes = {way.code for way in report.peers[0].ways if way.way == "nat"}
        other = await world["ben"].node.doctor.report()
        codes |= {way.code for way in other.peers[0].ways if way.way == "nat"}
        assert codes == {"no_direct_way"}
        assert len(field.attempts) < 40
        await world.aclose()

    sim_loop(4).run(story())
