"""A store that fails for a while, and members who flood: nothing is lost, nobody else waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from folkmoot.domain.bodies import MessageBody
from folkmoot.domain.errors import EnvironmentFault, UserError
from folkmoot.domain.ids import EntryId
from folkmoot.protocol import frames
from folkmoot.services import replication
from folkmoot.services.events import Event, NoticeChanged
from sim.attackers import segment, turn
from sim.loop import sim_loop
from sim.stories import gather, reads, texts
from sim.world import Host, World, until

pytestmark = pytest.mark.blocks_loop("a simulation is one thread: its store runs inline")
FULL = EnvironmentFault("disk_full", "The disk is full.", "Free some space.")


def break_store(host: Host, method: str) -> Callable[[], None]:
    """From now on this method of the host's store fails; the returned callable mends it."""

    async def failing(*_given: Any, **_named: Any) -> Any:
        raise FULL

    setattr(host.store, method, failing)
    return lambda: delattr(host.store, method)


def test_a_full_disk_acknowledges_nothing_and_catches_up_by_itself(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await gather(world, ["ann", "ben"])
        ann, ben = world["ann"], world["ben"]
        told: list[Event] = []
        ben.node.events.listen(told.append)
        mend = break_store(ben, "append")
        posted = [await ann.node.messages.post(crew.channel, f"while full {n}") for n in range(3)]
        await asyncio.sleep(6)
        for message in posted:
            delivery = await ann.node.messages.delivery(message.id)
            assert list(delivery.stored_on) == [ann.keyring.device]
        with pytest.raises(EnvironmentFault):
            await ben.node.messages.post(crew.channel, "mine")
        assert [notice.code for notice in ben.node.notices()] == ["disk_full"]
        mend()
        await reads(world, "ben", crew, *[message.text for message in posted], within_s=3)
        await asyncio.sleep(2)
        delivery = await ann.node.messages.delivery(posted[-1].id)
        assert len(delivery.stored_on) == 2
        assert ben.node.notices() == []
        ends = [event for event in told if isinstance(event, NoticeChanged) and not event.message]
        assert [event.code for event in ends] == ["disk_full"]
        assert ben.bugs == []
        await world.aclose()

    sim_loop(1).run(story())


def test_a_store_that_cannot_be_read_for_a_moment_does_not_end_the_sending(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await gather(world, ["ann", "ben"])
        ann = world["ann"]
        mend = break_store(ann, "segment")
        world.network.part(ann.ip, world["ben"].ip)
        for number in range(40):  # more than is pushed at once
            await ann.node.messages.post(crew.channel, f"number {number}")
        await until(lambda: not ann.node.links.members(), 30)
        world.network.heal()
        await until(lambda: bool(ann.node.links.members()), 90)
        await asyncio.sleep(3)
        assert "number 39" not in await texts(world, "ben", crew)
        mend()
        await reads(world, "ben", crew, "number 0", "number 39", within_s=5)
        assert ann.bugs == []
        await world.aclose()

    sim_loop(2).run(story())


@pytest.mark.parametrize("kind", ["typing", "presence"])
def test_a_flood_of_states_is_slowed_and_delays_nobody_else(tmp_path: Path, kind: str) -> None:
    async def story() -> None:
        world = World(["ann", "ben", "mal"], tmp_path)
        crew = await gather(world, ["ann", "ben", "mal"])
        traitor = await turn(world, "mal", crew)
        link = await traitor.link("ann")
        told: list[Event] = []
        world["ann"].node.events.listen(told.append)
        for number in range(20_000):
            if kind == "typing":
                link.send(frames.Typing(crew.channel, EntryId(bytes(32)), number % 2 == 0))
            else:
                link.send(frames.Presence("online", f"state {number}", 0))
        await asyncio.sleep(10)
        assert 10 < len(told) < 2000
        assert not link.closed
        await world["ben"].node.messages.post(crew.channel, "through")
        await reads(world, "ann", crew, "through", within_s=0.5)
        await world.aclose()

    sim_loop(3).run(story())


def test_a_body_is_given_only_with_the_conversation_it_belongs_to(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben", "mal"], tmp_path)
        crew = await gather(world, ["ann", "ben", "mal"])
        ann = world["ann"].node
        direct = await ann.conversations.open_direct(crew.team, [world["ben"].keyring.person])
        secret = await ann.messages.post(direct.id, "between us")
        traitor = await turn(world, "mal", crew)
        link = await traitor.link("ann")
        open_one = traitor.next(MessageBody("open"))
        link.send(segment(open_one))
        await asyncio.sleep(1)
        for place in (direct.id, crew.channel, crew.team):
            link.send(frames.Want(place, (secret.id, open_one.id)))
        await asyncio.sleep(1)
        given = [row[0] for frame in link.of(frames.Bodies) for row in frame.rows]
        assert given == [open_one.id]
        seen = {frame.conversation for frame in link.of(frames.Vectors)}
        assert direct.id not in seen
        await world.aclose()

    sim_loop(4).run(story())


def test_who_writes_too_fast_is_delayed_and_nothing_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replication, "ENTRIES_PER_S", 50.0)
    monkeypatch.setattr(replication, "ENTRIES_BURST", 50.0)

    async def story() -> None:
        world = World(["ann", "mal"], tmp_path)
        crew = await gather(world, ["ann", "mal"])
        traitor = await turn(world, "mal", crew)
        link = await traitor.link("ann")
        log = traitor.log(crew.channel)
        for number in range(400):
            link.send(segment(traitor.next(MessageBody(f"number {number}"))))
        await asyncio.sleep(1)
        link.send(segment(traitor.next(MessageBody("one more"))))
        await asyncio.sleep(4)
        assert "one more" not in await texts(world, "ann", crew)
        await reads(world, "ann", crew, "one more", within_s=6)
        [held] = [h.head for h in await world["ann"].store.heads(crew.channel) if h.head.log == log]
        assert held.sequence == traitor.held[log].header.sequence
        await world.aclose()

    sim_loop(6).run(story())


def test_who_wants_everything_again_and_again_gets_it_at_a_bounded_rate(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "mal"], tmp_path)
        crew = await gather(world, ["ann", "mal"])
        said = await world["ann"].node.messages.post(crew.channel, "w" * 20_000)
        traitor = await turn(world, "mal", crew)
        link = await traitor.link("ann")
        for _ in range(1000):
            link.send(frames.Want(crew.channel, (said.id,)))
        await asyncio.sleep(2)
        assert 1 <= len(link.of(frames.Bodies)) < 60
        assert not link.closed
        await world.aclose()

    sim_loop(7).run(story())


def test_what_a_member_says_of_addresses_does_not_move_others(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben", "mal"], tmp_path)
        crew = await gather(world, ["ann", "ben", "mal"])
        ann, ben = world["ann"], world["ben"]
        traitor = await turn(world, "mal", crew)
        link = await traitor.link("ann")
        world.network.part(ann.ip, ben.ip)
        await until(lambda: ben.keyring.device not in _linked(ann), 30)
        lies = tuple(f"10.7.7.7:{port}" for port in range(1, 9))
        rows = (
            (ben.keyring.device, lies),
            (traitor.keyring.device, (ben.address,)),
        )
        for _ in range(100):
            link.send(frames.Addresses(rows))
            await asyncio.sleep(0.5)
        world.network.heal()
        for _ in range(200):
            link.send(frames.Addresses(rows))
            await asyncio.sleep(0.5)
        assert ben.keyring.device in _linked(ann)
        assert len(ann.node.peers.addresses()) < 20
        await world.aclose()

    sim_loop(5).run(story())


def test_an_address_that_cannot_be_called_is_not_tried_without_a_pause(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben", "mal"], tmp_path)
        crew = await gather(world, ["ann", "ben", "mal"])
        ann, ben = world["ann"], world["ben"]
        traitor = await turn(world, "mal", crew)
        link = await traitor.link("ann")
        await ben.stop()
        await until(lambda: ben.keyring.device not in _linked(ann), 30)
        dial, dialled = ann.node.links.dial, []

        async def counted(address: str, *rest: Any, **more: Any) -> Any:
            dialled.append(address)
            if address.endswith(":0"):
                raise UserError("bad_address", "It has no port that can be called.")
            if address.endswith(":1"):
                raise RuntimeError("a bug")
            return await dial(address, *rest, **more)

        ann.node.links.dial = counted  # type: ignore[method-assign]
        link.send(frames.Addresses(((ben.keyring.device, ("10.7.7.7:0", "10.7.7.7:1")),)))
        await asyncio.sleep(30)
        assert 1 <= dialled.count("10.7.7.7:0") <= 8
        assert 1 <= dialled.count("10.7.7.7:1") <= 2
        ann.bugs.clear()
        await world.aclose()

    sim_loop(8).run(story())


def _linked(host: Host) -> set[bytes]:
    return {link.device for link in host.node.links.members()}
