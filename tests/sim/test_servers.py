"""Teams that meet through a signaling server, on virtual time."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fakes.signaling import MemoryServer
from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.domain.ids import ConversationId, DeviceId
from folkmoot.domain.servers import relay_address
from folkmoot.protocol import frames
from folkmoot.services.events import (
    Event,
    EventQueue,
    MessageCreated,
    MessagesArrived,
    PresenceChanged,
)
from folkmoot.services.joining import MAX_WAYS
from folkmoot.services.link import Link
from folkmoot.services.links import MAX_DRAINING, Knock
from folkmoot.services.node import Node
from folkmoot.services.relay_targets import MAX_UNKNOWN, MET_BURST, MET_PER_S
from folkmoot.services.values import LinkState, Message, PresenceState, Role, ServerPhase, Way
from sim.loop import sim_loop
from sim.stories import Crew, found, reads, texts
from sim.world import World, until

pytestmark = pytest.mark.blocks_loop("a simulation is one thread: its store runs inline")
URL = "wss://talk.example.org"


async def apart(folder: Path, *names: str, seed: int = 1) -> tuple[World, MemoryServer, Crew]:
    """Members who meet at a server only; the invitation names nothing else they could reach."""
    world = World(list(names), folder, seed)
    server = world.server(URL)
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
    return world, server, crew


def test_a_team_meets_at_a_server_alone(tmp_path: Path) -> None:
    async def story() -> None:
        world, server, crew = await apart(tmp_path, "ann", "ben", "cyd")
        await world["cyd"].node.messages.post(crew.channel, "from afar")
        await reads(world, "ann", crew, "from afar", within_s=2)
        await reads(world, "ben", crew, "from afar", within_s=2)
        for name in world.hosts:
            assert {peer.way for peer in world[name].node.peers.list()} == {Way.RELAY}
            [shown] = world[name].node.servers.list()
            assert (shown.phase, shown.people) == (ServerPhase.READY, 2)
        assert server.relayed
        await world.aclose()

    sim_loop(1).run(story())


def test_joining_at_a_server_takes_a_moment_only(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        world.server(URL)
        world.apart()
        await found(world, "ann")
        node = world["ann"].node
        await node.servers.add(URL)
        await asyncio.sleep(1)
        [team] = node.teams.list()
        [invite] = await node.teams.invites(team.id)
        joiner = await world["ben"].boot()
        began = asyncio.get_running_loop().time()
        outcome = await joiner.joining.join(invite.link)
        assert outcome.state == "joined"
        assert asyncio.get_running_loop().time() - began < 1.5
        assert [server.typed for server in joiner.servers.list()] == [False]
        await world.aclose()

    sim_loop(2).run(story())


def test_a_joiner_who_is_early_gets_in_when_somebody_appears(tmp_path: Path) -> None:
    async def story() -> None:
        world, _server, crew = await apart(tmp_path, "ann", "ben")
        await world["ann"].stop()
        await world["ben"].stop()
        world.hosts["cyd"] = world["ann"].another("cyd", 7)
        world.apart()
        joiner = await world["cyd"].boot()
        joining = asyncio.get_running_loop().create_task(joiner.joining.join(crew.invitation))
        await asyncio.sleep(5)
        await world["ben"].boot()
        assert (await joining).state == "joined"
        await world.aclose()

    sim_loop(3).run(story())


def test_when_a_server_comes_back_all_meet_again_and_nothing_is_lost(tmp_path: Path) -> None:
    async def story() -> None:
        world, server, crew = await apart(tmp_path, "ann", "ben")
        server.kill()
        await world["ann"].node.messages.post(crew.channel, "into the void")
        assert world["ann"].node.links.members(), "losing a server ends no link"
        await until(lambda: bool(world["ann"].node.notices()), 5)
        await asyncio.sleep(20)
        assert await texts(world, "ben", crew) == []
        server.start()
        await reads(world, "ben", crew, "into the void", within_s=10)
        assert not world["ann"].node.notices()
        await world.aclose()

    sim_loop(4).run(story())


def test_a_direct_link_outlives_its_server(tmp_path: Path) -> None:
    async def story() -> None:
        world, server, crew = await apart(tmp_path, "ann", "ben")
        world.network.heal()
        await until(lambda: _ways(world) == {Way.DIRECT}, 90)
        [link] = world["ann"].node.links.members()
        server.kill()
        await asyncio.sleep(60)
        assert world["ann"].node.links.members() == [link]
        await world["ann"].node.messages.post(crew.channel, "still here")
        await reads(world, "ben", crew, "still here", within_s=1)
        await world.aclose()

    sim_loop(5).run(story())


def _ways(world: World) -> set[Way]:
    return {link.way for host in world.hosts.values() for link in host.node.links.members()}


@pytest.mark.parametrize(
    ("seed", "count"),
    [(0, 150), *(pytest.param(seed, 600, marks=pytest.mark.long) for seed in range(1, 9))],
)
def test_a_better_way_takes_over_and_nobody_notices(tmp_path: Path, seed: int, count: int) -> None:
    async def story() -> None:
        world, server, crew = await apart(tmp_path, "ann", "ben", seed=seed)
        server.faults.delay_s = (0.02, 0.15)
        ann, ben = world["ann"].node, world["ben"].node
        await ann.presence.set(PresenceState.DND, "busy")
        await asyncio.sleep(2)
        told: list[Event] = []
        arrived: list[tuple[str, float]] = []
        events = ben.events.queue(10_000)
        ben.events.listen(told.append)
        numbers = Numbers(world, "ann", "ben")
        posting = asyncio.get_running_loop().create_task(_post_on(world, "ann", crew, count))
        watching = asyncio.get_running_loop().create_task(_watch(ben, events, arrived, count))
        other = asyncio.get_running_loop().create_task(_post_on(world, "ben", crew, count))
        await asyncio.sleep(0.2)
        world.network.heal()
        ann.peers.network_changed()
        await until(lambda: _ways(world) == {Way.DIRECT}, 2)
        sent = await posting
        await watching
        await other
        await numbers.check()
        assert [text for text, _ in arrived] == [text for text, _ in sent]
        slowest = max(at - then for (_, at), (_, then) in zip(arrived, sent, strict=True))
        assert slowest < 1.0
        presences = {
            (event.presence.state, event.presence.text)
            for event in told
            if isinstance(event, PresenceChanged)
        }
        assert presences <= {(PresenceState.DND, "busy")}
        assert len(ann.links.members()) == len(ben.links.members()) == 1
        await asyncio.sleep(3)
        assert not ann.links.draining()
        assert not ben.links.draining()
        await world.aclose()

    loop = sim_loop(10 + seed)
    loop.run(story())
    assert not loop.failures


async def _post_on(world: World, name: str, crew: Crew, count: int) -> list[tuple[str, float]]:
    """Messages every few milliseconds; (text, when it was posted)."""
    loop, sent = asyncio.get_running_loop(), []
    for number in range(count):
        text = f"{name} {number}"
        await world[name].node.messages.post(crew.channel, text)
        sent.append((text, loop.time()))
        await asyncio.sleep(0.004)
    return sent


async def _watch(
    node: Node, events: EventQueue, arrived: list[tuple[str, float]], count: int
) -> None:
    """Write down each message of ann's as it is told, and when; many at once are only counted."""
    while len(arrived) < count:
        event = await asyncio.wait_for(events.get(), 20)
        told: tuple[Message, ...] = ()
        if isinstance(event, MessageCreated):
            told = (event.message,)
        elif isinstance(event, MessagesArrived):
            known = {text for text, _ in arrived}
            page = await node.messages.page(event.conversation, limit=200)
            new = [one for one in page.messages if one.text not in known]
            told = tuple([one for one in new if one.text.startswith("ann")][: event.count])
        now = asyncio.get_running_loop().time()
        arrived += [(one.text, now) for one in told if one.text.startswith("ann")]


class Numbers:
    """Numbered frames between two nodes, both ways, each sent once: none is lost or doubled."""

    def __init__(self, world: World, *names: str) -> None:
        self.nodes = [world[name].node for name in names]
        self.sent = [0, 0]
        self.got: list[list[int]] = [[], []]
        for place, node in enumerate(self.nodes):
            node.links.handle(frames.Want, partial(self._take, place))
        loop = asyncio.get_running_loop()
        self.tasks = [loop.create_task(self._send_on(place)) for place in (0, 1)]

    async def _take(self, place: int, _link: Link, frame: frames.Want) -> None:
        self.got[place].append(int.from_bytes(frame.conversation, "big"))

    async def _send_on(self, place: int) -> None:
        device = self.nodes[1 - place].identity.keyring.device
        while True:
            link = self.nodes[place].links.get(device)
            assert link is not None, "at every moment there is a link"
            number = ConversationId(self.sent[place].to_bytes(32, "big"))
            link.send(frames.Want(number, ()))
            self.sent[place] += 1
            await asyncio.sleep(0.003)

    async def check(self) -> None:
        """Wait for what is on its way, then compare."""
        for task in self.tasks:
            task.cancel()
        await asyncio.sleep(1)
        for place in (0, 1):
            assert sorted(self.got[place]) == list(range(self.sent[1 - place]))


@pytest.mark.parametrize(
    "count", [200, pytest.param(3000, marks=[pytest.mark.long, pytest.mark.timeout(300)])]
)
def test_a_better_way_takes_over_in_the_middle_of_a_transfer(tmp_path: Path, count: int) -> None:
    async def story() -> None:
        world, server, crew = await apart(tmp_path, "ann", "ben")
        await world["ben"].stop()
        for number in range(count):
            await world["ann"].node.messages.post(crew.channel, f"text {number}")
        server.faults.delay_s = (0.05, 0.2)
        ben = await world["ben"].boot()
        await until(lambda: bool(ben.links.members()), 5, 0.01)
        await asyncio.sleep(0.3)
        world.network.heal()
        ben.peers.network_changed()
        began = asyncio.get_running_loop().time()
        await until(lambda: _ways(world) == {Way.DIRECT}, 2)
        while (page := await ben.messages.page(crew.channel)).total < count:
            assert asyncio.get_running_loop().time() - began < 3
            await asyncio.sleep(0.05)
        assert page.total == count
        await asyncio.sleep(5)
        assert (await ben.messages.page(crew.channel)).total == count
        assert not [host.bugs for host in world.hosts.values() if host.bugs]
        await world.aclose()

    sim_loop(30, 5_000_000).run(story())


def test_a_joiner_gets_past_those_who_do_not_answer(tmp_path: Path) -> None:
    async def story() -> None:
        world, server, crew = await apart(tmp_path, "ann", "ben")
        world.hosts["cyd"] = world["ann"].another("cyd", 7)
        joiner = await world["cyd"].boot()
        world.apart()
        joining = asyncio.get_running_loop().create_task(joiner.joining.join(crew.invitation))
        await asyncio.sleep(0)
        while server.url not in world["cyd"].signaling.tags:  # noqa: ASYNC110
            await asyncio.sleep(0)
        [tag] = world["cyd"].signaling.tags[server.url]
        for number in range(20):
            joiner.servers.came(server.url, tag, DeviceId(number.to_bytes(32, "big")))
        assert (await joining).state == "joined"
        await world.aclose()

    sim_loop(31).run(story())


def test_a_server_that_makes_devices_up_does_not_make_a_joiner_dial_without_bound(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        world, server, crew = await apart(tmp_path, "ann", "ben")
        world.hosts["cyd"] = world["ann"].another("cyd", 7)
        joiner = await world["cyd"].boot()
        world.apart()
        dialling, most = 0, 0

        async def silent(*_: object, **__: object) -> Any:
            nonlocal dialling, most
            dialling += 1
            most = max(most, dialling)
            try:
                await asyncio.sleep(3)
            finally:
                dialling -= 1
            raise EnvironmentFault("unreachable", "It does not answer.")

        joiner.links.dial = silent  # type: ignore[method-assign]
        joining = asyncio.get_running_loop().create_task(joiner.joining.join(crew.invitation))
        await asyncio.sleep(0)
        while server.url not in world["cyd"].signaling.tags:  # noqa: ASYNC110
            await asyncio.sleep(0)
        [tag] = world["cyd"].signaling.tags[server.url]
        for number in range(200):
            joiner.servers.came(server.url, tag, DeviceId(number.to_bytes(32, "big")))
            await asyncio.sleep(0.005)
        assert 4 <= most <= MAX_WAYS
        joining.cancel()
        await world.aclose()

    sim_loop(33).run(story())


def test_two_who_dial_each_other_through_a_server_settle_on_one_link(tmp_path: Path) -> None:
    async def story() -> None:
        world, server, _crew = await apart(tmp_path, "ann", "ben")
        ann, ben = world["ann"].node, world["ben"].node
        for node in (ann, ben):
            for link in node.links.members():
                link.close("closing", "again")
        await until(lambda: not ann.links.members() and not ben.links.members(), 2, 0.001)
        for node in (ann, ben):
            for target in node.peers._relays.all():
                target.retry_soon(0.0)
            node.peers._wake.set()
        await asyncio.sleep(4)
        [one], [other] = ann.links.members(), ben.links.members()
        assert one.transcript == other.transcript
        before = server.dialled
        await asyncio.sleep(60)
        assert server.dialled == before
        await world.aclose()

    sim_loop(7).run(story())


def test_who_was_let_in_is_no_longer_there_by_the_invitation(tmp_path: Path) -> None:
    async def story() -> None:
        world, server, crew = await apart(tmp_path, "ann")
        invite = await world["ann"].node.teams.invite(crew.team, Role.GUEST)
        world.hosts["gus"] = world["ann"].another("gus", 9)
        world.apart()
        guest = await world["gus"].boot()
        await guest.joining.join(invite.link)
        await asyncio.sleep(1)
        here = [room for room in server.rooms.values() if guest.identity.me().device in room]
        assert len(here) == 1
        await world.aclose()

    sim_loop(26).run(story())


def test_a_worse_link_makes_better_ways_be_tried_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        world, _server, _crew = await apart(tmp_path, "ann", "ben")
        await asyncio.sleep(60)
        for link in world["ann"].node.links.members():
            link.close("busy", "Later.")  # then nothing is tried for the next half minute
        await until(lambda: not _ways(world), 1)
        world.network.heal()
        for host in world.hosts.values():
            for target in host.node.peers.targets():
                if target.way is Way.RELAY:
                    target.retry_soon(0.0)
            host.node.peers._wake.set()
        await until(lambda: _ways(world) == {Way.DIRECT}, 3)
        await world.aclose()

    sim_loop(27).run(story())


def test_a_device_in_the_place_of_another_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        world, server, _crew = await apart(tmp_path, "ann", "ben", "cyd")
        ben, cyd = (world[name].keyring.device for name in ("ben", "cyd"))
        server.clients[ben] = server.clients[cyd]
        with pytest.raises((PeerError, EnvironmentFault)):
            await world["ann"].node.links.dial(relay_address(server.url, ben), _knock(world))
        server.clients[ben] = world["ben"].signaling
        await world.aclose()

    sim_loop(28).run(story())


def _knock(world: World) -> Knock:
    [state] = world["ann"].node.registry.teams()
    return Knock(state.secrets[-1], state.id)


@pytest.mark.parametrize(("dialler", "other"), [("ann", "ben"), ("ben", "ann")])
def test_a_better_way_is_taken_at_once_whoever_finds_it(
    tmp_path: Path, dialler: str, other: str
) -> None:
    async def story() -> None:
        world, _server, _crew = await apart(tmp_path, "ann", "ben")
        world.network.heal()
        await world[dialler].node.links.dial(world[other].address, _knock(world))
        await until(lambda: _ways(world) == {Way.DIRECT}, 0.5)
        assert [len(host.node.links.members()) for host in world.hosts.values()] == [1, 1]
        await world.aclose()

    sim_loop(21).run(story())


@pytest.mark.parametrize(("dialler", "other"), [("ann", "ben"), ("ben", "ann")])
def test_a_worse_way_that_is_late_is_refused(tmp_path: Path, dialler: str, other: str) -> None:
    async def story() -> None:
        world, server, _crew = await apart(tmp_path, "ann", "ben")
        world.network.heal()
        await world["ann"].node.links.dial(world["ben"].address, _knock(world))
        await until(lambda: _ways(world) == {Way.DIRECT}, 0.5)
        there = relay_address(server.url, world[other].keyring.device)
        late = await world[dialler].node.links.dial(there, _knock(world), way=Way.RELAY)
        await until(lambda: late.closed, 1)
        assert late.reason == "duplicate"
        assert _ways(world) == {Way.DIRECT}
        await world.aclose()

    sim_loop(22).run(story())


def test_a_link_is_kept_for_a_moment_while_its_successor_is_on_its_way(tmp_path: Path) -> None:
    async def story() -> None:
        world, _server, _crew = await apart(tmp_path, "ann", "ben")
        [here], [there] = (host.node.links.members() for host in world.hosts.values())
        here.retire()
        await asyncio.sleep(1)
        assert world["ben"].node.links.members() == [there]
        await until(lambda: here.closed and there.closed, 2)
        await world.aclose()

    sim_loop(23).run(story())


def test_of_two_who_meet_only_one_dials(tmp_path: Path) -> None:
    async def story() -> None:
        world, server, _crew = await apart(tmp_path, "ann", "ben")
        for name in ("ann", "ben"):
            await world[name].stop()
        server.dialled = 0
        for name in ("ann", "ben"):
            await world[name].boot()
        await until(lambda: _ways(world) == {Way.RELAY}, 3)
        await asyncio.sleep(5)
        assert server.dialled == 1
        await world.aclose()

    sim_loop(24).run(story())


def test_devices_that_a_server_makes_up_are_few_and_keep_nobody_away(tmp_path: Path) -> None:
    async def story() -> None:
        world, server, crew = await apart(tmp_path, "ann", "ben")
        await world["ben"].stop()
        node = world["ann"].node
        [tag, *_] = (tag for tag, room in server.rooms.items() if node.identity.me().device in room)
        for number in range(200):
            ghost = DeviceId(number.to_bytes(32, "big"))
            node.servers.came(server.url, tag, ghost)
        assert len(node.peers._relays.all()) <= MAX_UNKNOWN + 1
        assert node.servers.list()[0].people == 0
        await asyncio.sleep(1)
        await world["ben"].boot()
        await reads(world, "ben", crew, within_s=1)
        await until(lambda: len(node.links.members()) == 1, 5)
        await world.aclose()

    sim_loop(25).run(story())


def test_a_server_that_names_the_same_again_and_again_is_not_followed(tmp_path: Path) -> None:
    async def story() -> None:
        world, server, _crew = await apart(tmp_path, "ann", "ben")
        await world["ben"].stop()
        node = world["ann"].node
        [tag, *_] = (tag for tag, room in server.rooms.items() if node.identity.me().device in room)
        server.dialled = 0
        for number in range(1000):
            device = DeviceId(bytes([255]) * 31 + bytes([number % 8]))
            node.servers.came(server.url, tag, device)
            await asyncio.sleep(0.002)
            node.servers.went(server.url, tag, device)
        assert server.dialled <= MET_BURST + 3 * MET_PER_S
        await world.aclose()

    sim_loop(32).run(story())


def test_addresses_at_servers_are_neither_kept_nor_told(tmp_path: Path) -> None:
    async def story() -> None:
        world, _server, _crew = await apart(tmp_path, "ann", "ben", "cyd")
        await asyncio.sleep(5)
        for host in world.hosts.values():
            kept = [stored.address for stored in await host.store.addresses()]
            known = [target.address for target in host.node.peers._targets.all()]
            assert not [one for one in kept + known if one.startswith(("relay", "nat"))]
        await world.aclose()

    sim_loop(8).run(story())


def test_who_comes_back_without_the_lan_is_met_at_the_server(tmp_path: Path) -> None:
    async def story() -> None:
        world, _server, crew = await apart(tmp_path, "ann", "ben")
        world.network.heal()
        await until(lambda: _ways(world) == {Way.DIRECT}, 90)
        await asyncio.sleep(15)
        world.apart()
        await world["ann"].node.messages.post(crew.channel, "gone home")
        await reads(world, "ben", crew, "gone home", within_s=15)
        assert _ways(world) == {Way.RELAY}
        assert {peer.state for peer in world["ben"].node.peers.list()} == {LinkState.LINKED}
        await world.aclose()

    sim_loop(9).run(story())


@pytest.mark.parametrize("seed", range(8))
def test_of_many_links_dialled_at_once_both_sides_keep_the_same(tmp_path: Path, seed: int) -> None:
    async def story() -> None:
        world, server, _crew = await apart(tmp_path, "ann", "ben")
        server.faults.delay_s = (0.3, 0.3)
        ann, ben = (world[name].node for name in ("ann", "ben"))
        there = relay_address(server.url, world["ben"].keyring.device)
        await asyncio.sleep(12)
        loop = asyncio.get_running_loop()
        for _ in range(8):
            loop.create_task(ann.links.dial(there, _knock(world), way=Way.RELAY))  # noqa: RUF006
        end = loop.time() + 6
        while loop.time() < end:
            assert len(ann.links.members()) == len(ben.links.members()) == 1
            draining = [link for link in ann.links.draining() if not link.closed]
            assert len(draining) <= MAX_DRAINING
            await asyncio.sleep(0.01)
        [one], [other] = ann.links.members(), ben.links.members()
        assert one.transcript == other.transcript
        assert not ann.links.draining()
        assert not ben.links.draining()
        await world.aclose()

    sim_loop(33 + seed).run(story())
