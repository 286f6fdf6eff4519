"""Sealed mail between nodes that are never there at the same time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from builders.writers import Writer
from fakes.mail import PostOffice, unix_s
from fakes.signaling import MemoryServer
from folkmoot.api import shapes
from folkmoot.domain.bodies import MessageBody
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.net.sealing import HpkeSealer
from folkmoot.protocol.mail import SEAL_OVERHEAD_BYTES, mail_info, read_mail, segment_of, write_mail
from folkmoot.services import mail as mail_service
from folkmoot.services import mail_grants, mail_packing
from folkmoot.services.events import DeliveryChanged, Event, MessageCreated
from folkmoot_signaling.mailbox import MailLimits
from sim.attackers import segment, turn
from sim.loop import sim_loop
from sim.stories import Crew, gather, reads, texts
from sim.world import World, until

pytestmark = pytest.mark.blocks_loop("a simulation is one thread: its store runs inline")


async def crew_with_mail(
    folder: Path, *names: str, limits: MailLimits | None = None
) -> tuple[World, Crew, PostOffice]:
    """A team whose members use one server and have given each other leave, all there."""
    world = World(names, folder)
    server = world.server()
    server.office = PostOffice(limits)
    crew = await gather(world, names)
    for name in names:
        await world[name].node.servers.add(str(server.url))
    await asyncio.sleep(8)
    return world, crew, server.office


def server_of(world: World) -> MemoryServer:
    """The one server."""
    [server] = world.servers.values()
    return server


async def settle() -> None:
    """Longer than anything waits before an envelope is left."""
    await asyncio.sleep(15)


def opened(world: World, office: PostOffice, name: str) -> list[list[int]]:
    """The sequences of the entries in every envelope for a host, in order."""
    keyring = world[name].keyring
    found = []
    for _, recipient, sealed in office.puts:
        if recipient == keyring.device:
            info = mail_info(recipient)
            segments = read_mail(HpkeSealer().open(keyring.seal_seed, info, sealed))
            found.append([s.first + n for s in segments for n in range(len(s.headers))])
    return found


def test_a_message_is_read_by_who_was_away_when_nobody_else_is_there(tmp_path: Path) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ben"].stop()
        posted = await world["ann"].node.messages.post(crew.channel, "while you were away")
        await settle()
        assert len(office.puts) == 1
        delivery = await world["ann"].node.messages.delivery(posted.id)
        assert len(delivery.stored_on) == 1, "a server is no computer of the team"
        await world["ann"].stop()
        await world["ben"].boot()
        await reads(world, "ben", crew, "while you were away", within_s=5)
        assert len(office.taken) == 1
        assert office.book.usage() == (0, 0)
        # The author learns of it only when ben's computer says so itself.
        await world["ann"].boot()
        await until(lambda: bool(world["ann"].node.links.members()), 60)
        await asyncio.sleep(3)
        delivery = await world["ann"].node.messages.delivery(posted.id)
        assert len(delivery.stored_on) == 2
        assert await texts(world, "ben", crew) == ["while you were away"]
        await world.aclose()

    sim_loop(1).run(story())


def test_nobody_but_the_recipient_can_read_what_the_server_keeps(tmp_path: Path) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ben"].stop()
        await world["ann"].node.messages.post(crew.channel, "a secret of the crew")
        await settle()
        [(_, _, sealed)] = office.puts
        assert b"secret" not in sealed
        for id in (crew.channel, crew.team, world["ann"].keyring.device):
            assert bytes(id) not in bytes(sealed)
        await world.aclose()

    sim_loop(2).run(story())


def test_the_author_sees_where_and_until_when_a_message_waits(tmp_path: Path) -> None:
    async def story() -> None:
        limits = MailLimits(keep_s=900)
        world, crew, _ = await crew_with_mail(tmp_path, "ann", "ben", limits=limits)
        await world["ben"].stop()
        node = world["ann"].node
        heard: list[Event] = []
        node.events.listen(heard.append)
        posted = await node.messages.post(crew.channel, "hello")
        assert (await node.messages.delivery(posted.id)).sealed == ()
        await settle()
        [kept] = (await node.messages.delivery(posted.id)).sealed
        assert kept.device == world["ben"].keyring.device
        assert kept.server == str(server_of(world).url)
        assert 880 < kept.until_ms / 1000 - unix_s() < 900
        shown = shapes.delivery(await node.messages.delivery(posted.id)).sealed
        assert [(one.device, one.server) for one in shown] == [(kept.device.hex(), kept.server)]
        [told] = [e for e in heard if isinstance(e, DeliveryChanged) and e.delivery is not None]
        assert told.messages == ((posted.id, 1, 2),)
        assert told.delivery is not None
        assert told.delivery.sealed == (kept,)
        assert [m.sealed for m in (await node.messages.page(crew.channel)).messages] == [kept]
        await asyncio.sleep(900)
        assert [m.sealed for m in (await node.messages.page(crew.channel)).messages] == [None]
        assert (await node.messages.delivery(posted.id)).sealed == ()
        await world.aclose()

    sim_loop(3).run(story())


def test_what_is_written_within_a_moment_goes_into_one_envelope(tmp_path: Path) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ben"].stop()
        await settle()
        for number in range(10):
            await world["ann"].node.messages.post(crew.channel, f"line {number}")
            await asyncio.sleep(0.1)
        await settle()
        assert len(office.puts) == 1
        await world["ann"].stop()
        await world["ben"].boot()
        await reads(world, "ben", crew, *(f"line {number}" for number in range(10)), within_s=5)
        await world.aclose()

    sim_loop(4).run(story())


def test_what_was_written_just_before_the_end_is_left(tmp_path: Path) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ben"].stop()
        await settle()
        await world["ann"].node.messages.post(crew.channel, "off I go")
        await world["ann"].stop()
        assert len(office.puts) == 1
        await world["ben"].boot()
        await reads(world, "ben", crew, "off I go", within_s=5)
        await world.aclose()

    sim_loop(24).run(story())


def test_who_writes_much_leaves_fuller_envelopes_not_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_service, "PUTS_PER_S", 0.1)
    monkeypatch.setattr(mail_service, "PUTS_BURST", 2.0)

    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ben"].stop()
        for number in range(40):
            await world["ann"].node.messages.post(crew.channel, f"line {number}")
            await asyncio.sleep(1)
        await asyncio.sleep(30)
        assert 3 <= len(office.puts) <= 7
        await world["ann"].stop()
        await world["ben"].boot()
        await reads(world, "ben", crew, *(f"line {number}" for number in range(40)), within_s=5)
        await world.aclose()

    sim_loop(25).run(story())


def test_nothing_is_left_twice_while_it_waits_even_after_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ben"].stop()
        await world["ann"].node.messages.post(crew.channel, "one")
        await settle()
        await world["ann"].crash()
        await world["ann"].boot()
        await settle()
        await world["ann"].node.messages.post(crew.channel, "two")
        await settle()
        first, second = opened(world, office, "ben")
        assert not set(first) & set(second)
        await world["ann"].stop()
        await world["ben"].boot()
        await reads(world, "ben", crew, "one", "two", within_s=5)
        await world.aclose()

    sim_loop(5).run(story())


def test_what_expired_is_left_again_with_the_next_message(tmp_path: Path) -> None:
    async def story() -> None:
        limits = MailLimits(keep_s=600)
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben", limits=limits)
        await world["ben"].stop()
        await world["ann"].node.messages.post(crew.channel, "one")
        await settle()
        await asyncio.sleep(700)
        assert office.waiting(world["ben"].keyring.device) == []
        await world["ann"].node.messages.post(crew.channel, "two")
        await settle()
        await world["ann"].stop()
        await world["ben"].boot()
        await reads(world, "ben", crew, "one", "two", within_s=5)
        await world.aclose()

    sim_loop(6).run(story())


def test_what_expired_comes_from_the_history_of_any_member(tmp_path: Path) -> None:
    async def story() -> None:
        limits = MailLimits(keep_s=600)
        world, crew, _ = await crew_with_mail(tmp_path, "ann", "ben", "cyd", limits=limits)
        await world["ben"].stop()
        await world["ann"].node.messages.post(crew.channel, "one")
        await settle()
        await world["ann"].stop()
        await asyncio.sleep(700)
        await world["ben"].boot()
        await reads(world, "ben", crew, "one")
        await world.aclose()

    sim_loop(7).run(story())


def test_an_envelope_that_comes_again_is_shown_once_and_taken_again(tmp_path: Path) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ben"].stop()
        await world["ann"].node.messages.post(crew.channel, "once")
        await settle()
        await world["ann"].stop()
        office.forgets_taken = True
        for _ in range(3):
            await world["ben"].boot()
            await settle()
            server = server_of(world)
            server.clients[world["ben"].keyring.device].deliver(server)
            await settle()
            assert await texts(world, "ben", crew) == ["once"]
            await world["ben"].crash()
        assert len(office.taken) == 6
        await world.aclose()

    sim_loop(8).run(story())


def test_nothing_is_left_for_who_is_linked_or_said_to_be_there(tmp_path: Path) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ann"].node.messages.post(crew.channel, "linked")
        await settle()
        assert office.puts == []
        await world["ben"].stop()
        server = server_of(world)
        ann, ben = world["ann"].keyring.device, world["ben"].keyring.device
        [tag] = [tag for tag, devices in server.rooms.items() if ann in devices][:1]
        server.clients[ann].hear(server, "came", tag, ben)
        await world["ann"].node.messages.post(crew.channel, "a ghost")
        await asyncio.sleep(40)
        assert office.puts == []
        server.clients[ann].hear(server, "went", tag, ben)
        await settle()
        assert len(office.puts) == 1
        await world.aclose()

    sim_loop(9).run(story())


def test_a_server_that_shows_ghosts_keeps_no_mail_away_from_others(tmp_path: Path) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ben"].stop()
        server = server_of(world)
        ann, ben = world["ann"].keyring.device, world["ben"].keyring.device
        [tag] = [tag for tag, devices in server.rooms.items() if ann in devices][:1]
        server.clients[ann].hear(server, "came", tag, ben)
        await world["ann"].node.messages.post(crew.channel, "past the ghost")
        await asyncio.sleep(90)
        assert len(office.puts) == 1
        await world.aclose()

    sim_loop(28).run(story())


def test_nothing_is_left_without_leave_and_leave_is_kept_over_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await gather(world, ["ann", "ben"])
        server = world.server()
        office = server.office
        await world["ben"].stop()
        await world["ann"].node.servers.add(str(server.url))
        await world["ann"].node.messages.post(crew.channel, "no leave yet")
        await settle()
        assert office.puts == []
        await world["ben"].boot()
        await world["ben"].node.servers.add(str(server.url))
        await until(lambda: bool(world["ann"].node.links.members()), 60)
        await settle()
        await world["ben"].stop()
        await world["ann"].stop()
        await world["ann"].boot()
        await world["ann"].node.messages.post(crew.channel, "with leave")
        await settle()
        assert len(office.puts) == 1
        await world.aclose()

    sim_loop(10).run(story())


def test_leave_is_given_anew_when_half_its_time_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_grants, "GRANT_S", 600)
    monkeypatch.setattr(mail_grants, "RENEW_S", 300)
    monkeypatch.setattr(mail_grants, "LITTLE_S", 10)
    monkeypatch.setattr(mail_service, "RENEW_EVERY_S", 20.0)

    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await asyncio.sleep(330)
        await world["ben"].stop()
        await asyncio.sleep(500)
        await world["ann"].node.messages.post(crew.channel, "in time")
        await settle()
        assert len(office.puts) == 1
        await asyncio.sleep(100)
        await world["ann"].node.messages.post(crew.channel, "too late")
        await settle()
        assert len(office.puts) == 1
        await world.aclose()

    sim_loop(11).run(story())


def test_what_was_written_just_before_a_link_broke_is_left_as_well(tmp_path: Path) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        server = server_of(world)
        world.network.part(world["ann"].ip, world["ben"].ip)
        server.leave(server.clients[world["ben"].keyring.device])
        await world["ann"].node.messages.post(crew.channel, "into the void")
        assert world["ann"].node.links.members()
        await asyncio.sleep(5)
        assert office.puts == []
        await asyncio.sleep(20)
        assert len(office.puts) == 1
        await world.aclose()

    sim_loop(12).run(story())


def test_what_was_written_without_a_server_is_left_when_there_is_one(tmp_path: Path) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ben"].stop()
        server_of(world).kill()
        await world["ann"].node.messages.post(crew.channel, "on the train")
        await settle()
        assert office.puts == []
        server_of(world).start()
        await settle()
        assert len(office.puts) == 1
        await world.aclose()

    sim_loop(13).run(story())


def test_a_full_mailbox_is_tried_again_later(tmp_path: Path) -> None:
    async def story() -> None:
        limits = MailLimits(pair_count=1)
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben", limits=limits)
        await world["ben"].stop()
        await world["ann"].node.messages.post(crew.channel, "one")
        await settle()
        await world["ann"].node.messages.post(crew.channel, "two")
        await settle()
        assert len(office.puts) == 1
        [(id, _)] = office.waiting(world["ben"].keyring.device)
        office.book.taken(world["ben"].keyring.device, [id])
        await asyncio.sleep(mail_service.FULL_REST_S + 5)
        assert len(office.puts) == 2
        await world.aclose()

    sim_loop(14).run(story())


def test_too_much_for_envelopes_is_left_in_order_and_history_brings_the_rest(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben", "cyd")
        await world["ben"].stop()
        lines = [f"{number} " + "x" * 9000 for number in range(60)]
        for line in lines:
            await world["ann"].node.messages.post(crew.channel, line)
        await settle()
        for_ben = opened(world, office, "ben")
        assert len(for_ben) == mail_service.MAX_AT_ONCE
        sequences = [sequence for envelope in for_ben for sequence in envelope]
        assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
        await world["ann"].stop()
        await world["cyd"].stop()
        await world["ben"].boot()
        await settle()
        come = [text.split()[0] for text in await texts(world, "ben", crew)]
        assert come == [str(number) for number in range(len(sequences) - 1)]  # one opens the log
        await world["cyd"].boot()
        await reads(world, "ben", crew, lines[-1], within_s=60)
        await world.aclose()

    sim_loop(15).run(story())


def test_no_more_is_left_for_who_comes_meanwhile(tmp_path: Path) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ben"].stop()
        for number in range(30):
            await world["ann"].node.messages.post(crew.channel, f"{number} " + "x" * 9000)
        office.put_s = 20.0  # more than a node waits
        await settle()
        assert office.puts == []
        office.put_s = 10.0
        await until(lambda: len(office.puts) == 1, 90)
        await world["ben"].boot()
        await asyncio.sleep(60)
        assert len(office.puts) <= 2
        await world.aclose()

    sim_loop(23).run(story())


def test_many_small_entries_fill_envelopes_that_servers_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 8_000
    monkeypatch.setattr(mail_packing, "MAX_MAIL_BYTES", most)

    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ben"].stop()
        for number in range(60):
            await world["ann"].node.messages.post(crew.channel, f"{number}")
        await settle()
        sizes = [len(sealed) - SEAL_OVERHEAD_BYTES for _, _, sealed in office.puts]
        assert most - 400 < sizes[0] <= most
        assert max(sizes) <= most
        await world["ann"].stop()
        await world["ben"].boot()
        await reads(world, "ben", crew, "59", within_s=5)
        await world.aclose()

    sim_loop(26).run(story())


def test_a_grant_that_the_server_refuses_is_not_used_again_until_a_new_one_comes(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ben"].stop()
        office.refuses = True
        for text in ("one", "two"):
            await world["ann"].node.messages.post(crew.channel, text)
            await settle()
        assert office.refusals == 1
        office.refuses = False
        await world["ben"].boot()
        await reads(world, "ben", crew, "one", "two", within_s=60)
        await asyncio.sleep(5)
        await world["ben"].stop()
        await world["ann"].node.messages.post(crew.channel, "three")
        await settle()
        assert len(office.puts) == 1
        await world.aclose()

    sim_loop(27).run(story())


def test_an_envelope_behind_a_gap_is_dropped_and_history_heals(tmp_path: Path) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ben"].stop()
        for text in ("one", "two"):
            await world["ann"].node.messages.post(crew.channel, text)
            await settle()
        ben = world["ben"].keyring.device
        office.book.taken(ben, [office.waiting(ben)[0][0]])
        await world["ann"].stop()
        await world["ben"].boot()
        await settle()
        assert await texts(world, "ben", crew) == []
        assert office.book.usage() == (0, 0)
        await world["ann"].boot()
        await reads(world, "ben", crew, "one", "two", within_s=60)
        await world.aclose()

    sim_loop(16).run(story())


def test_nothing_is_taken_before_it_is_stored(tmp_path: Path) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ben"].stop()
        await world["ann"].node.messages.post(crew.channel, "precious")
        await settle()
        await world["ann"].stop()
        node = await world["ben"].boot()
        store = world["ben"].store
        append = store.append
        tries = []

        async def full(*_: object, **__: object) -> None:
            tries.append(1)
            raise EnvironmentFault("disk_full", "The disk is full.")

        store.append = full  # type: ignore[method-assign, assignment]
        await settle()
        assert len(tries) > 2
        assert office.taken == []
        store.append = append  # type: ignore[method-assign]
        await reads(world, "ben", crew, "precious", within_s=5)
        await until(lambda: len(office.taken) == 1, 5)
        del node
        await world.aclose()

    sim_loop(17).run(story())


class Forger:
    """Leaves envelopes of its own making for ben."""

    def __init__(self, world: World, office: PostOffice) -> None:
        self.office = office
        self.server = server_of(world)
        self.ben = world["ben"].keyring
        self.count = 0

    async def leave(self, text: bytes) -> None:
        """Seal `text` for ben as anybody can who knows his certificate."""
        key = self.ben.certificate.seal_key
        await self.raw(HpkeSealer().seal(key, mail_info(self.ben.device), text))

    async def raw(self, sealed: bytes) -> None:
        """Leave any bytes."""
        self.count += 1
        self.office.leave(self.ben.device, self.ben.device, sealed)
        if self.ben.device in self.server.clients:
            self.server.clients[self.ben.device].deliver(self.server)


def test_garbage_changes_nothing_and_does_not_come_again(tmp_path: Path) -> None:
    async def story() -> None:
        limits = MailLimits(pair_count=10_000)
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben", limits=limits)
        await world["ben"].stop()
        await world["ann"].node.messages.post(crew.channel, "genuine")
        await settle()
        [(_, _, sealed)] = office.puts
        await world["ann"].stop()
        forger = Forger(world, office)
        await forger.raw(b"x")
        await forger.raw(bytes(100))
        await forger.raw(sealed[:-1] + bytes([sealed[-1] ^ 1]))
        await forger.leave(b"")
        await forger.leave(b"\x92\x01\x90")
        await forger.leave(b"\x92\x02\x90")
        info = mail_info(world["ben"].keyring.device)
        text = HpkeSealer().open(world["ben"].keyring.seal_seed, info, sealed)
        for at in range(0, len(text), 11):  # damaged before it was sealed
            await forger.leave(text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :])
        office.book.taken(world["ben"].keyring.device, [bytes(15) + b"\x01"])
        await world["ben"].boot()
        await until(lambda: len(office.taken) == forger.count, 60)
        assert await texts(world, "ben", crew) == []
        assert world["ben"].bugs == []
        await forger.leave(text)
        await reads(world, "ben", crew, "genuine", within_s=5)
        await world.aclose()

    sim_loop(18).run(story())


def test_an_envelope_of_a_stranger_changes_nothing(tmp_path: Path) -> None:
    """Also of somebody who was removed: no device of theirs is a member's any more."""

    async def story() -> None:
        world, _, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ann"].stop()
        eve = Writer("Eve")
        genesis = eve.found("Trap")
        entry = eve.write(genesis.log.conversation, genesis.id, MessageBody("hello"))
        forger = Forger(world, office)
        await forger.leave(write_mail([segment_of(genesis.log, eve.logs[genesis.log])]))
        await forger.leave(
            write_mail([segment_of(log, entries) for log, entries in eve.logs.items()])
        )
        await until(lambda: len(office.taken) == 2, 10)
        assert world["ben"].node.registry.team(genesis.log.conversation) is None
        assert await world["ben"].store.entry(entry.id) is None
        assert await world["ben"].store.entry(genesis.id) is None
        await world.aclose()

    sim_loop(19).run(story())


def test_a_member_who_was_removed_brings_nothing_by_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben", "cyd")
        await world["ben"].stop()
        await world["ann"].node.messages.post(crew.channel, "too late")
        await settle()
        await world["ann"].stop()
        await world["cyd"].stop()
        node = await world["ben"].boot()
        removed = world["ann"].keyring.person
        known = node.registry.known_persons
        monkeypatch.setattr(node.registry, "known_persons", lambda: known() - {removed})
        await until(lambda: len(office.taken) == 1, 10)
        assert await texts(world, "ben", crew) == []
        assert office.book.usage() == (0, 0)
        await world.aclose()

    sim_loop(20).run(story())


def test_nothing_is_left_for_a_member_who_was_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben")
        await world["ben"].stop()
        node = world["ann"].node
        removed = world["ben"].keyring.person
        known = node.registry.known_persons
        monkeypatch.setattr(node.registry, "known_persons", lambda: known() - {removed})
        await node.messages.post(crew.channel, "not for ben")
        await settle()
        assert office.puts == []
        await world.aclose()

    sim_loop(21).run(story())


def test_a_forged_entry_of_a_member_is_not_taken_from_an_envelope(tmp_path: Path) -> None:
    async def story() -> None:
        world, crew, office = await crew_with_mail(tmp_path, "ann", "ben", "cyd")
        cyd = await turn(world, "cyd", crew)
        forger = Forger(world, office)
        good = segment(cyd.next(MessageBody("signed by cyd")))
        other = world["ann"].keyring.device
        await forger.leave(write_mail([structs.replace(good, device=other)]))
        await forger.leave(write_mail([structs.replace(good, signature=bytes(64))]))
        await forger.leave(write_mail([structs.replace(good, bodies=(b"\x91\xa1x",))]))
        await forger.leave(write_mail([structs.replace(good, grant=bytes(32))]))
        await forger.leave(write_mail([structs.replace(good, conversation=crew.team)]))
        await until(lambda: len(office.taken) == 5, 20)
        assert await texts(world, "ben", crew) == ["I am cyd"]
        heard: list[Event] = []
        world["ben"].node.events.listen(heard.append)
        await forger.leave(write_mail([good]))
        await reads(world, "ben", crew, "signed by cyd", within_s=5)
        assert sum(isinstance(event, MessageCreated) for event in heard) == 1
        await world.aclose()

    sim_loop(22).run(story())
