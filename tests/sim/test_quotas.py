"""A member who writes too much is held up, and nobody else is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from folkmoot.domain.bodies import MessageBody, Set
from folkmoot.domain.entry import MAX_SEGMENT_ENTRIES, MAX_TEAM_LOG_ENTRIES, Entry
from folkmoot.domain.ids import LogKey
from folkmoot.services import replication
from sim.attackers import segment, turn
from sim.loop import sim_loop
from sim.stories import gather, reads
from sim.world import Host, World

pytestmark = pytest.mark.blocks_loop("a simulation is one thread: its store runs inline")


async def _held(host: Host, log: LogKey) -> int:
    """The sequence up to which a log is held."""
    heads = await host.store.heads(log.conversation)
    return next((held.head.sequence for held in heads if held.head.log == log), 0)


@pytest.mark.timeout(120)
def test_a_log_of_the_team_ends_at_its_limit_and_the_other_logs_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        world = World(["ann", "ben", "mal"], tmp_path)
        crew = await gather(world, ["ann", "ben", "mal"])
        traitor = await turn(world, "mal", crew)
        link = await traitor.link("ann")
        log = traitor.log(crew.team)
        last = traitor.held[log]
        run: list[Entry] = []
        while last.header.sequence < MAX_TEAM_LOG_ENTRIES + 2:
            last = traitor.entry(log, Set("noise", None), last)
            run.append(last)
            if len(run) == MAX_SEGMENT_ENTRIES or last.header.sequence >= MAX_TEAM_LOG_ENTRIES:
                link.send(segment(*run))
                run = []
                await asyncio.sleep(0.2)
        await asyncio.sleep(5)
        assert await _held(world["ann"], log) == MAX_TEAM_LOG_ENTRIES
        assert "the log of the team is full" in caplog.text
        channel = await world["ben"].node.conversations.create_channel(crew.team, "quiet")
        link.send(segment(traitor.next(MessageBody("in a channel I may"))))
        await reads(world, "ann", crew, "in a channel I may")
        await asyncio.sleep(60)
        assert (await world["ann"].node.conversations.get(channel.id)).name == "quiet"
        assert await _held(world["ben"], log) == MAX_TEAM_LOG_ENTRIES
        await link.aclose()
        await world.aclose()

    caplog.set_level("INFO")
    sim_loop(61).run(story())


def test_who_writes_faster_than_the_quota_is_delayed_and_nothing_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replication, "ENTRIES_PER_S", 10.0)
    monkeypatch.setattr(replication, "ENTRIES_BURST", 100.0)

    async def story() -> None:
        world = World(["ann", "ben", "mal"], tmp_path)
        crew = await gather(world, ["ann", "ben", "mal"])
        traitor = await turn(world, "mal", crew)
        link = await traitor.link("ann")
        log = traitor.log(crew.channel)
        before = traitor.held[log].header.sequence
        for wave in range(2):
            link.send(segment(*(traitor.next(MessageBody(f"{wave}.{n}")) for n in range(250))))
            await asyncio.sleep(5)
        # The first wave left a debt of 15 s; the second one waits until it is paid.
        assert await _held(world["ann"], log) == before + 250
        await world["ben"].node.messages.post(crew.channel, "not held up")
        await reads(world, "ann", crew, "not held up", within_s=1)
        await asyncio.sleep(90)
        for name in ("ann", "ben"):
            assert await _held(world[name], log) == before + 500
        await link.aclose()
        await world.aclose()

    sim_loop(62).run(story())
