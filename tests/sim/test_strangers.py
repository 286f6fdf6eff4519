"""Strangers who reach a node: few at a time, told little, and never in the way of others."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path

import pytest

from fakes.signaling import FakeSignaling, MemoryServer, MemoryWays
from folkmoot.domain.errors import FolkmootError, UserError
from folkmoot.domain.ids import ZERO, ConversationId, PersonId
from folkmoot.domain.servers import relay_address
from folkmoot.protocol import frames
from folkmoot.protocol.invites import invite_key, make_proof, read_link
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.signaling import rendezvous_tag
from folkmoot.protocol.words import sas_commitment
from folkmoot.services.admission import MAX_REQUESTS_PER_ADDRESS, REVEAL_S
from folkmoot.services.keyring import Keyring, make_keyring
from folkmoot.services.links import (
    MAX_LINKS_PER_PERSON,
    MAX_STRANGERS_PER_ADDRESS,
    MAX_STRANGERS_PER_DEVICE,
    MAX_STRANGERS_PER_SERVER,
)
from sim.attackers import RawLink, dial
from sim.loop import sim_loop
from sim.stories import found, gather
from sim.world import START_MS, World, keys_of, until

pytestmark = pytest.mark.blocks_loop("a simulation is one thread: its store runs inline")


async def come(
    world: World, name: str, ip: str = "10.9.0.1", key: bytes | None = None, to: str = "ann"
) -> RawLink:
    """A link of somebody whose keys come from `name`, from the address `ip`."""
    return await dial(world.network.transport(ip), world[to].address, keys_of(name), key)


def second_device(name: str, number: int) -> Keyring:
    """Another computer of the person called `name`."""
    person = Signer(sha256(f"person {name}".encode()).digest())
    device = Signer(sha256(f"device {name} {number}".encode()).digest())
    return make_keyring(person, device, bytes(32), "more", START_MS)


def test_one_address_has_only_a_few_links_as_a_stranger(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann"], tmp_path)
        await found(world, "ann")
        crowd = [await come(world, f"eve{number}") for number in range(40)]
        await asyncio.sleep(0.5)
        assert sum(not link.closed for link in crowd) == MAX_STRANGERS_PER_ADDRESS
        assert {link.words for link in crowd if link.closed} == {"busy"}
        other = await come(world, "bob", "10.9.0.2")
        other.send(frames.TeamsWanted())
        [row] = (await other.first(frames.Teams)).rows
        assert row.name == "Crew"
        await world.aclose()

    sim_loop(1).run(story())


async def come_by_server(world: World, server: MemoryServer, name: str, knock: bytes) -> RawLink:
    """A link of somebody who knows an invitation, through a server."""
    keys = keys_of(name)
    signaling = FakeSignaling(keys.device, {server.url: server})
    server.clients[keys.device] = signaling
    tag = rendezvous_tag(knock, str(server.url))
    server.rooms[tag][keys.device] = None
    ways = MemoryWays(world.network.transport("10.9.0.1"), signaling)
    return await dial(ways, relay_address(server.url, world["ann"].keyring.device), keys, knock)


def test_behind_a_server_each_device_has_places_of_its_own_and_all_together_not_all(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        world = World(["ann", "bob"], tmp_path)
        server = world.server("wss://talk.example.org")
        crew = await found(world, "ann")
        node = world["ann"].node
        await node.servers.add(str(server.url))
        await asyncio.sleep(1)
        [invite] = await node.teams.invites(crew.team)
        knock = invite_key(Signer(read_link(invite.link).seed).public)
        twins = [await come_by_server(world, server, "eve", knock) for _ in range(6)]
        await asyncio.sleep(0.5)
        assert sum(not link.closed for link in twins) == MAX_STRANGERS_PER_DEVICE
        crowd = [await come_by_server(world, server, f"mal{n}", knock) for n in range(40)]
        await asyncio.sleep(0.5)
        assert sum(not link.closed for link in twins + crowd) == MAX_STRANGERS_PER_SERVER
        other = await come(world, "bob", "10.9.0.2", knock)
        await asyncio.sleep(0.5)
        assert not other.closed
        await world.aclose()

    sim_loop(1).run(story())


def test_a_stranger_who_wants_nothing_more_is_sent_away(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann"], tmp_path)
        await found(world, "ann")
        quiet, busy = await come(world, "eve"), await come(world, "mal")
        for number in range(30):
            busy.send(frames.Ping(number))
            await asyncio.sleep(1)
        assert (quiet.words, busy.words) == ("idle", "idle")
        assert world["ann"].node.links.strangers() == []
        await world.aclose()

    sim_loop(2).run(story())


@pytest.mark.parametrize(
    "frame",
    [
        frames.Digest(bytes(32)),
        frames.Presence("online", "", 0),
        frames.Addresses(()),
        frames.Teams(()),
        frames.CallState(bytes(32), ConversationId(ZERO), 1, "joined", 0, 0, PersonId(ZERO), ()),
        frames.CallOffer(bytes(32), 1, "v=0\r\n"),
        frames.CallAct(bytes(32), "end", PersonId(ZERO)),
    ],
)
def test_a_frame_that_a_stranger_may_not_send_ends_the_link(
    tmp_path: Path, frame: frames.Frame
) -> None:
    async def story() -> None:
        world = World(["ann"], tmp_path)
        await found(world, "ann")
        link = await come(world, "eve")
        link.send(frame)
        assert await link.ended() in ("stranger_frame", "not_asked")
        assert world["ann"].bugs == []
        await world.aclose()

    sim_loop(3).run(story())


def test_a_stranger_who_floods_is_sent_away(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann"], tmp_path)
        await found(world, "ann")
        link = await come(world, "eve")
        link.send(*[frames.Ping(number) for number in range(500)])
        assert await link.ended(2) == "flood"
        assert len(link.of(frames.Pong)) < 100
        await world.aclose()

    sim_loop(13).run(story())


def test_names_are_told_at_a_bounded_rate(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann"], tmp_path)
        await found(world, "ann")
        told = 0
        for number in range(60):
            link = await come(world, f"eve{number}")
            link.send(frames.TeamsWanted())
            await asyncio.sleep(0.1)
            told += len(link.of(frames.Teams))
            await link.aclose()
        assert told <= 9
        await world.aclose()

    sim_loop(4).run(story())


def test_who_is_not_visible_answers_no_stranger_at_all(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann"], tmp_path)
        crew = await found(world, "ann")
        await world["ann"].node.teams.set_visible(crew.team, False)
        with pytest.raises(FolkmootError):
            await come(world, "eve")
        await world.aclose()

    sim_loop(5).run(story())


async def ask(world: World, name: str, ip: str, team: bytes) -> RawLink:
    """Ask to join and show nothing more."""
    link = await come(world, name, ip)
    link.send(frames.Ask(world["ann"].node.teams.list()[0].id, name, "", sas_commitment(bytes(32))))
    await link.first(frames.Asked)
    return link


def test_requests_that_show_no_words_make_room_for_others(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann"], tmp_path)
        crew = await found(world, "ann")
        crowd = [
            await ask(world, f"eve{number}", f"10.9.0.{number}", crew.team) for number in range(21)
        ]
        assert [link.of(frames.Asked)[0].state for link in crowd] == ["waiting"] * 20 + ["full"]
        await asyncio.sleep(REVEAL_S + 1)
        late = await ask(world, "bob", "10.9.1.1", crew.team)
        assert late.of(frames.Asked)[0].state == "waiting"
        late.send(frames.Reveal(crew.team, bytes(32)))
        await until(lambda: len(world["ann"].node.joining.requests()) == 1, 1)
        await asyncio.sleep(60)
        assert not late.closed
        assert all(link.closed for link in crowd)
        await world.aclose()

    sim_loop(6).run(story())


def test_one_address_has_only_a_few_requests(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann"], tmp_path)
        crew = await found(world, "ann")
        crowd = [await ask(world, f"eve{n}", "10.9.0.1", crew.team) for n in range(7)]
        states = [link.of(frames.Asked)[0].state for link in crowd]
        assert states.count("waiting") == MAX_REQUESTS_PER_ADDRESS
        assert states.count("full") == 7 - MAX_REQUESTS_PER_ADDRESS
        await world.aclose()

    sim_loop(7).run(story())


def test_to_know_who_speaks_in_a_direct_conversation_makes_nobody_a_member(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await gather(world, ["ann", "ben"])
        ann = world["ann"].node
        direct = await ann.conversations.open_direct(crew.team, [world["ben"].keyring.person])
        link = await come(world, "eve", key=direct.id)
        await asyncio.sleep(3)
        assert {type(frame) for frame in link.got} <= {frames.Hello, frames.Ping}
        link.send(frames.Digest(bytes(32)))
        assert await link.ended() == "stranger_frame"
        await world.aclose()

    sim_loop(8).run(story())


def test_many_invitations_of_one_team_do_not_shut_out_another(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await gather(world, ["ann", "ben"])
        ann = world["ann"].node
        await world["ben"].stop()
        await ann.teams.set_visible(crew.team, False)
        other = await ann.teams.create("Another", visible=False)
        for _ in range(300):
            await ann.teams.invite(other.id, uses=1)
        state = ann.registry.team(crew.team)
        assert state is not None
        link = await come(world, "ben", key=state.secrets[-1])
        await link.first(frames.Digest)
        await world.aclose()

    sim_loop(9).run(story())


def test_one_person_does_not_take_every_place(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await gather(world, ["ann", "ben"])
        state = world["ann"].node.registry.team(crew.team)
        assert state is not None
        transport = world.network.transport("10.9.0.1")
        links = [
            await dial(
                transport, world["ann"].address, second_device("ben", number), state.secrets[-1]
            )
            for number in range(40)
        ]
        await asyncio.sleep(1)
        own = sum(not link.closed for link in links)
        assert own == MAX_LINKS_PER_PERSON - 1  # his honest computer is linked as well
        await world.aclose()

    sim_loop(10).run(story())


@pytest.mark.parametrize(
    ("uses", "expires_s", "code"), [(1, None, "used_up"), (None, 60, "expired")]
)
def test_a_copied_invitation_lets_nobody_in_when_it_is_over(
    tmp_path: Path, uses: int | None, expires_s: int | None, code: str
) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await found(world, "ann")
        ann = world["ann"].node
        invite = read_link((await ann.teams.invite(crew.team, uses=uses, expires_s=expires_s)).link)
        key = invite_key(Signer(invite.seed).public)
        answers: list[str] = []
        for name in ("bob", "eve"):
            link = await come(world, name, f"10.9.0.{len(answers)}", key)
            proof = make_proof(invite.seed, invite.team, invite.invite, keys_of(name).signed)
            link.send(frames.Join(invite.team, invite.invite, name, proof))
            answers.append((await link.first(frames.Joined)).code)
            await asyncio.sleep(61)
        assert answers == ["ok", code]
        assert keys_of("eve").person not in {one.person for one in ann.teams.members(crew.team)}
        await world.aclose()

    sim_loop(11).run(story())


def test_an_invitation_proof_of_another_person_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann"], tmp_path)
        crew = await found(world, "ann")
        invite = read_link(crew.invitation)
        link = await come(world, "eve", key=invite_key(Signer(invite.seed).public))
        proof = make_proof(invite.seed, invite.team, invite.invite, keys_of("bob").signed)
        link.send(frames.Join(invite.team, invite.invite, "Bob", proof))
        assert await link.ended() == "bad_proof"
        assert len(world["ann"].node.teams.members(crew.team)) == 1
        with pytest.raises(UserError):
            await world["ann"].node.joining.admit(crew.team, keys_of("eve").person)
        await world.aclose()

    sim_loop(12).run(story())
