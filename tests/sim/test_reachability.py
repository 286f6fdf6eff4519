"""Where a node listens and what it says when nobody can reach it, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from fakes.discovery import MemoryDiscovery
from fakes.transport import MemoryStream, MemoryTransport
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.services.node import Node
from folkmoot.services.ports import Sighting
from sim.loop import sim_loop
from sim.stories import found, reads
from sim.world import World, until

pytestmark = pytest.mark.blocks_loop("a simulation is one thread: its store runs inline")


class Cable:
    """Whether hosts have a network; without one nothing can be bound, found or announced."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.plugged = False
        self.binds = True
        listen, addresses = MemoryTransport.listen, MemoryTransport.addresses
        start = MemoryDiscovery.start

        async def listening(
            transport: MemoryTransport,
            wanted: Sequence[str],
            accept: Callable[[MemoryStream], Awaitable[None]],
        ) -> list[str]:
            if not self.binds:
                raise EnvironmentFault("no_network", "This computer cannot listen.")
            return await listen(transport, wanted, accept)

        async def own(transport: MemoryTransport) -> list[str]:
            return await addresses(transport) if self.plugged else ["127.0.0.1:7000"]

        async def announce(
            discovery: MemoryDiscovery,
            port: int,
            tag: Callable[[str], list[bytes]],
            seen: Callable[[Sighting], None],
        ) -> None:
            if not self.plugged:
                raise EnvironmentFault("no_network", "Nobody can be found.")
            await start(discovery, port, tag, seen)

        patch.setattr(MemoryTransport, "listen", listening)
        patch.setattr(MemoryTransport, "addresses", own)
        patch.setattr(MemoryDiscovery, "start", announce)


def _codes(node: Node) -> list[str]:
    return [notice.code for notice in node.notices()]


@pytest.mark.parametrize("binds", [True, False])
def test_a_node_without_a_network_says_so_and_uses_one_that_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, binds: bool
) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path, discovery=True)
        crew = await found(world, "ann")
        ann, ben = world["ann"], world["ben"]
        await ben.boot()
        await ben.node.joining.join(crew.invitation)
        await ann.stop()
        cable = Cable(monkeypatch)
        cable.binds = binds
        ann.address = "" if not binds else ann.address
        node = await ann.boot()
        [notice] = node.notices()
        assert (notice.code, notice.message) == (
            "no_network",
            "This computer is on no network.",
        )
        await node.messages.post(crew.channel, "written without a network")
        cable.plugged = cable.binds = True
        await reads(world, "ben", crew, "written without a network", within_s=70)
        await asyncio.sleep(10)
        assert _codes(node) == []
        invitation = await node.teams.invite(crew.team)
        assert invitation.link
        assert node.listening
        await world.aclose()

    sim_loop(41).run(story())


def test_a_network_that_goes_away_is_said_and_its_return_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        world = World(["ann"], tmp_path, discovery=True)
        cable = Cable(monkeypatch)
        cable.plugged = True
        node = await world["ann"].boot()
        assert _codes(node) == []
        cable.plugged = False
        await until(lambda: _codes(node) == ["no_network"], 6)
        cable.plugged = True
        await until(lambda: _codes(node) == [], 6)
        await world.aclose()

    sim_loop(42).run(story())


def test_a_typed_port_that_is_taken_is_replaced_in_words(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann"], tmp_path)
        ann = world["ann"]
        other = world.network.transport(ann.ip)
        [taken] = await other.listen([ann.address], _ignore)
        node = await ann.boot()
        [bound] = node.listening
        assert bound != taken
        [notice] = node.notices()
        assert notice.code == "port_taken"
        assert f"listens on port {bound.rpartition(':')[2]} instead" in notice.message
        await world.aclose()
        await other.aclose()

    sim_loop(43).run(story())


async def _ignore(_stream: MemoryStream) -> None:
    """Nobody comes."""
