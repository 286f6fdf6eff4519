"""A body that did not come with its entry is found wherever it is held; nobody asks in a storm."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from folkmoot.domain.bodies import Edit, MessageBody
from folkmoot.domain.ids import EntryId
from folkmoot.protocol import frames
from folkmoot.services.events import Event, MessageChanged
from folkmoot.services.link import Link
from folkmoot.storage.rows import Rows
from sim.attackers import segment, turn
from sim.loop import sim_loop
from sim.stories import Crew, gather, reads, texts
from sim.world import Host, World, until

pytestmark = pytest.mark.blocks_loop("a simulation is one thread: its store runs inline")


async def _lose(host: Host, id: EntryId) -> bytes:
    """A body is lost with no delete, as by damage; the body."""
    entry = await host.store.entry(id)
    assert entry is not None
    assert entry.body is not None
    await _set_body(host, id, None)
    return entry.body


async def _set_body(host: Host, id: EntryId, body: bytes | None) -> None:
    def write(rows: Rows) -> None:
        rows.run("UPDATE entry SET body = ? WHERE id = ?", (body, id))

    await host.store._lanes.write(write)


async def _found(host: Host, word: str) -> int:
    """How many messages the full text finds."""

    def count(rows: Rows) -> int:
        found: int = rows.all("SELECT count(*) FROM words WHERE words MATCH ?", (word,))[0][0]
        return found

    return await host.store._lanes.read(count)


async def _missing(host: Host, crew: Crew) -> list[bool]:
    page = await host.store.page(crew.channel)
    return [message.body_missing for message in page.messages]


async def _shows(host: Host, crew: Crew, missing: list[bool], within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while await _missing(host, crew) != missing:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def _count_wants(patch: pytest.MonkeyPatch) -> list[float]:
    """When anybody asked for bodies."""
    asked: list[float] = []
    send = Link.send

    def counting(link: Link, *out: frames.Frame) -> None:
        now = asyncio.get_running_loop().time()
        asked.extend(now for frame in out if isinstance(frame, frames.Want))
        send(link, *out)

    patch.setattr(Link, "send", counting)
    return asked


def test_a_body_that_the_sender_lost_comes_from_another_member(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben", "cyd"], tmp_path)
        crew = await gather(world, ["ann", "ben", "cyd"])
        ann, ben, cyd = (world[name] for name in ("ann", "ben", "cyd"))
        await cyd.stop()
        said = await ann.node.messages.post(crew.channel, "the treasure is under the oak")
        await reads(world, "ben", crew, said.text)
        await ben.stop()
        await _lose(ann, said.id)
        await cyd.boot()
        await _shows(cyd, crew, [True], 30)
        assert (await cyd.node.conversations.get(crew.channel)).unread == 0
        heard: list[Event] = []
        cyd.node.events.listen(heard.append)
        await ben.boot()
        await reads(world, "cyd", crew, said.text, within_s=70)
        assert await _missing(cyd, crew) == [False]
        assert [e.what for e in heard if isinstance(e, MessageChanged)] == ["body"]
        assert (await cyd.node.conversations.get(crew.channel)).unread == 1
        assert await _found(cyd, "treasure") == 1
        assert await cyd.store.wanting() == []
        await asyncio.sleep(60)
        assert await ann.store.wanting() == []
        await world.aclose()

    sim_loop(31).run(story())


def test_a_linked_member_that_gets_the_body_later_is_asked_again(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben", "cyd"], tmp_path)
        crew = await gather(world, ["ann", "ben", "cyd"])
        ann, ben, cyd = (world[name] for name in ("ann", "ben", "cyd"))
        await cyd.stop()
        said = await ann.node.messages.post(crew.channel, "found at last")
        await reads(world, "ben", crew, said.text)
        await _lose(ann, said.id)
        body = await _lose(ben, said.id)
        await cyd.boot()
        await _shows(cyd, crew, [True], 30)
        await until(lambda: len(cyd.node.links.members()) == 2, 70)
        await asyncio.sleep(60)
        await _set_body(ben, said.id, body)
        await reads(world, "cyd", crew, said.text, within_s=130)
        await world.aclose()

    sim_loop(32).run(story())


def test_a_wrong_body_is_refused_and_the_right_one_still_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        world = World(["ann", "ben", "mal"], tmp_path)
        crew = await gather(world, ["ann", "ben", "mal"])
        traitor = await turn(world, "mal", crew)
        link = await traitor.link("ann")
        said = traitor.next(MessageBody("what was signed"))
        other = traitor.next(MessageBody("what was not"))
        assert said.body is not None
        assert other.body is not None
        link.send(segment(replace(said, body=None)))
        want = await link.first(frames.Want)
        assert want.ids == (said.id,)
        link.send(frames.Bodies(crew.channel, ((said.id, other.body),)))
        await asyncio.sleep(3)
        assert sorted(await _missing(world["ann"], crew)) == [False, True]
        assert "what was not" not in await texts(world, "ann", crew)
        assert "bodies from" in caplog.text
        link.send(frames.Bodies(crew.channel, ((said.id, said.body),)))
        await reads(world, "ann", crew, "what was signed", within_s=1)
        await reads(world, "ben", crew, "what was signed", within_s=30)
        await link.aclose()
        await world.aclose()

    caplog.set_level("INFO")
    sim_loop(33).run(story())


def test_who_asks_in_vain_asks_ever_more_seldom(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "mal"], tmp_path)
        crew = await gather(world, ["ann", "mal"])
        traitor = await turn(world, "mal", crew)
        link = await traitor.link("ann")
        [message] = (await world["ann"].store.page(crew.channel)).messages
        edit = traitor.next(Edit(message.id, "nobody has this"))
        link.send(segment(replace(edit, body=None)))
        await world["ann"].node.messages.delete(message.id)
        await asyncio.sleep(3600)
        assert {want.ids for want in link.of(frames.Want)} == {(edit.id,)}
        assert 8 <= len(link.of(frames.Want)) <= 14
        await link.aclose()
        await world.aclose()

    sim_loop(34).run(story())


def test_what_was_deleted_while_a_member_was_away_is_not_asked_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _count_wants(monkeypatch)

    async def story() -> None:
        world = World(["ann", "ben", "cyd"], tmp_path)
        crew = await gather(world, ["ann", "ben", "cyd"])
        ann, cyd = world["ann"], world["cyd"]
        await cyd.stop()
        said = await ann.node.messages.post(crew.channel, "rash words")
        kept = await ann.node.messages.post(crew.channel, "calm words")
        await reads(world, "ben", crew, "rash words", "calm words")
        await ann.node.messages.delete(said.id)
        await ann.node.messages.edit(kept.id, "calmer words")
        await reads(world, "ben", crew, "calmer words")
        await cyd.boot()
        await reads(world, "cyd", crew, "calmer words")
        await asyncio.sleep(70)
        for name in world.hosts:
            assert await texts(world, name, crew) == ["calmer words"]
            assert await world[name].store.wanting() == []
        settled = len(asked)
        await asyncio.sleep(3600)
        assert len(asked) == settled
        await world.aclose()

    sim_loop(35).run(story())


def test_an_edit_of_a_message_deleted_meanwhile_keeps_nobody_from_agreeing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _count_wants(monkeypatch)

    async def story() -> None:
        world = World(["ann", "ben", "cyd"], tmp_path)
        crew = await gather(world, ["ann", "ben", "cyd"])
        ann, cyd = world["ann"], world["cyd"]
        await cyd.stop()
        said = await ann.node.messages.post(crew.channel, "rash words")
        await ann.node.messages.edit(said.id, "rasher words")
        await reads(world, "ben", crew, "rasher words")
        await ann.node.messages.delete(said.id)
        await ann.node.messages.post(crew.channel, "and on it goes")
        await cyd.boot()
        await reads(world, "cyd", crew, "and on it goes")
        await asyncio.sleep(70)
        for name in world.hosts:
            assert await texts(world, name, crew) == ["and on it goes"]
        early = len(asked)
        await asyncio.sleep(7200)
        assert len(asked) - early <= 2 * 16
        await world.aclose()

    sim_loop(36).run(story())
