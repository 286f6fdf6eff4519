"""When a feed of new versions is asked, and what its answers lead to, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from builders.feeds import ADDRESS, URL, FakeFeeds, feed
from folkmoot.domain.errors import EnvironmentFault, UserError
from folkmoot.domain.updates import FeedAddress
from folkmoot.protocol.keys import Signer
from folkmoot.services.events import EventBus, UpdatesChanged
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.update_values import Updates
from folkmoot.services.updates import DAY_S, FIRST_S, JITTER, RETRY_S, UpdatesService
from folkmoot.storage.store import SqliteStore
from sim.loop import sim_loop
from sim.world import START_MS, LoopClock, SeededRandomness, SlowLanes, keys_of, until

pytestmark = pytest.mark.blocks_loop("a simulation is one thread: its store runs inline")
AWAY = EnvironmentFault("unreachable", "example.org does not answer.", "Wait.")


class Computer:
    """The service alone, on a store that lasts: a whole node has a great deal to do in a month."""

    def __init__(self, folder: Path, feeds: FakeFeeds) -> None:
        self.version = "0.1.0"
        self.events = EventBus()
        self.bugs: list[str] = []
        self.starts = 0
        self._path = folder / "store.sqlite3"
        self._feeds = feeds

    async def boot(self) -> None:
        """Start it on what is stored."""
        self.starts += 1
        clock, keys = LoopClock(), keys_of("ann")
        self.store = await SqliteStore.open(
            self._path, keys.person, keys.device, clock=clock, lanes=SlowLanes(lambda: 0.05)
        )
        self.supervisor = Supervisor(lambda task, error: self.bugs.append(f"{task}: {error!r}"))
        self.updates = UpdatesService(
            self.version,
            self._feeds,
            self.store,
            clock,
            SeededRandomness(self.starts),
            self.events,
            self.supervisor,
        )
        await self.updates.start()

    async def stop(self) -> None:
        """End it in the middle of whatever it does."""
        await self.supervisor.aclose()
        await self.store.aclose()


Story = Callable[[Computer, FakeFeeds], Coroutine[Any, Any, None]]


def play(folder: Path, story: Story) -> None:
    """Ann's computer, with version 0.1.0 and a feed that says that there is 0.2.0."""

    async def run() -> None:
        feeds = FakeFeeds(feed("0.2.0", "0.1.0", serial=5, now_ms=START_MS))
        ann = Computer(folder, feeds)
        await story(ann, feeds)
        assert ann.bugs == []
        await ann.stop()

    sim_loop(1).run(run())


async def turned_on(host: Computer) -> Updates:
    """The state after the first answer."""
    await host.boot()
    await host.updates.turn_on(ADDRESS)
    await until(lambda: not host.updates.state().looking, 60)
    return host.updates.state()


async def looked(host: Computer) -> Updates:
    """Ask now; the state after the answer."""
    host.updates.look()
    await until(lambda: not host.updates.state().looking, 60)
    return host.updates.state()


def test_nothing_is_ever_asked_while_it_is_off(tmp_path: Path) -> None:
    async def story(ann: Computer, feeds: FakeFeeds) -> None:
        await ann.boot()
        ann.updates.look()
        await asyncio.sleep(10 * DAY_S)
        await ann.updates.turn_on(ADDRESS)
        await until(lambda: not ann.updates.state().looking, 60)
        await ann.updates.turn_off()
        assert len(feeds.asked) == 1
        ann.updates.look()
        await asyncio.sleep(10 * DAY_S)
        await ann.stop()
        await ann.boot()
        await asyncio.sleep(10 * DAY_S)
        assert len(feeds.asked) == 1
        state = ann.updates.state()
        assert (state.on, state.address, state.offer) == (False, ADDRESS, None)

    play(tmp_path, story)


def test_turned_on_it_asks_at_once_and_then_once_a_day(tmp_path: Path) -> None:
    async def story(ann: Computer, feeds: FakeFeeds) -> None:
        told: list[Updates] = []
        await ann.boot()
        ann.events.listen(
            lambda e: told.append(e.updates) if isinstance(e, UpdatesChanged) else None
        )
        await ann.updates.turn_on(ADDRESS)
        await asyncio.sleep(7.5 * DAY_S)
        times = [at for at, _, _ in feeds.asked]
        assert 7 <= len(times) <= 9
        assert times[0] < 5
        for before, after in pairwise(times):
            assert DAY_S * JITTER[0] <= after - before <= DAY_S * JITTER[1] + 1
        assert {url for _, url, _ in feeds.asked} == {URL}
        assert feeds.asked[0][2] == ""
        assert all(etag for _, _, etag in feeds.asked[1:])
        offers = [one.offer.version for one in told if one.offer is not None]
        assert set(offers) == {"0.2.0"}
        assert told[-1] == ann.updates.state()

    play(tmp_path, story)


def test_after_a_start_it_asks_once_a_little_later_and_knows_what_it_knew(tmp_path: Path) -> None:
    async def story(ann: Computer, feeds: FakeFeeds) -> None:
        await turned_on(ann)
        await ann.stop()
        started = asyncio.get_running_loop().time()
        await ann.boot()
        before = ann.updates.state()
        assert before.offer is not None
        assert before.looked_ms is not None
        await asyncio.sleep(FIRST_S[1] + 1)
        (_, (at, _, etag)) = feeds.asked
        assert FIRST_S[0] <= at - started <= FIRST_S[1]
        assert etag
        state = ann.updates.state()
        assert state.offer == before.offer
        assert state.looked_ms is not None
        assert state.looked_ms > before.looked_ms

    play(tmp_path, story)


def test_after_a_failure_it_asks_more_and_more_seldom_and_says_why(tmp_path: Path) -> None:
    async def story(ann: Computer, feeds: FakeFeeds) -> None:
        feeds.fault = AWAY
        state = await turned_on(ann)
        assert (state.problem, state.hint) == (AWAY.message, AWAY.hint)
        assert state.looked_ms is None
        await asyncio.sleep(20 * DAY_S)
        times = [at for at, _, _ in feeds.asked]
        waits = [after - before for before, after in pairwise(times)]
        for number, wait in enumerate(waits):
            wanted = min(DAY_S, RETRY_S * 2**number)
            assert wanted * JITTER[0] <= wait <= wanted * JITTER[1] + 1
        assert waits[-1] >= DAY_S * JITTER[0]
        feeds.fault = None
        await asyncio.sleep(1.2 * DAY_S)
        assert ann.updates.state().problem == ""
        assert ann.updates.state().offer is not None

    play(tmp_path, story)


def test_a_dismissed_version_stays_so_and_the_next_one_does_not(tmp_path: Path) -> None:
    async def story(ann: Computer, feeds: FakeFeeds) -> None:
        assert not (await turned_on(ann)).dismissed
        await ann.updates.dismiss("0.2.0")
        await ann.stop()
        await ann.boot()
        assert ann.updates.state().dismissed
        feeds.say(feed("0.3.0", serial=6, now_ms=START_MS))
        state = await looked(ann)
        assert state.offer is not None
        assert (state.offer.version, state.dismissed) == ("0.3.0", False)

    play(tmp_path, story)


def test_who_updates_is_offered_it_no_more(tmp_path: Path) -> None:
    async def story(ann: Computer, feeds: FakeFeeds) -> None:
        assert (await turned_on(ann)).offer is not None
        await ann.stop()
        ann.version = "0.2.0"
        await ann.boot()
        assert ann.updates.state().offer is None
        assert ann.updates.state().on

    play(tmp_path, story)


def test_an_older_serial_and_another_feed_of_the_same_are_refused(tmp_path: Path) -> None:
    async def story(ann: Computer, feeds: FakeFeeds) -> None:
        await turned_on(ann)
        for said in (feed("0.9", serial=4), feed("0.9", serial=5)):
            feeds.say(said)
            state = await looked(ann)
            assert "less than it said before" in state.problem
            assert state.offer is not None
            assert state.offer.version == "0.2.0"
        await ann.stop()
        await ann.boot()
        assert "less than" in (await looked(ann)).problem  # also after a start
        await ann.updates.turn_off()
        await ann.updates.turn_on(ADDRESS.replace(URL, "https://mirror.example.org/f"))
        assert "less than" in (await looked(ann)).problem  # and at another place of that key
        feeds.say(feed("0.4", serial=6, now_ms=START_MS))
        state = await looked(ann)
        assert state.problem == ""
        assert state.offer is not None
        assert state.offer.version == "0.4"

    play(tmp_path, story)


def test_another_key_begins_anew_and_the_old_one_is_not_believed(tmp_path: Path) -> None:
    async def story(ann: Computer, feeds: FakeFeeds) -> None:
        await turned_on(ann)
        other = Signer(bytes(32))
        feeds.say(feed("0.9", serial=1, now_ms=START_MS), other)
        state = await looked(ann)
        assert "not signed by the key" in state.problem
        await ann.updates.turn_on(str(FeedAddress(URL, other.public)))
        assert ann.updates.state().offer is None  # what the key before said counts no more
        await until(lambda: not ann.updates.state().looking, 60)
        state = ann.updates.state()
        assert state.problem == ""
        assert state.offer is not None
        assert state.offer.version == "0.9"

    play(tmp_path, story)


def test_a_feed_that_has_expired_says_nothing_but_that(tmp_path: Path) -> None:
    async def story(ann: Computer, feeds: FakeFeeds) -> None:
        state = await turned_on(ann)
        assert state.offer is not None
        await asyncio.sleep(31 * DAY_S)  # the same answer day after day, beyond its 30 days
        state = ann.updates.state()
        assert state.offer is None
        assert "out of date" in state.problem
        now_ms = START_MS + 31 * 24 * 3600 * 1000
        feeds.say(feed("0.3.0", serial=9, now_ms=now_ms, days=7))
        state = await looked(ann)
        assert state.problem == ""
        assert state.offer is not None

    play(tmp_path, story)


@pytest.mark.parametrize("data", [b"", b"<html>", b"{}", b"\xff" * 100])
def test_garbage_is_said_and_changes_nothing(tmp_path: Path, data: bytes) -> None:
    async def story(ann: Computer, feeds: FakeFeeds) -> None:
        before = await turned_on(ann)
        feeds.data = data
        state = await looked(ann)
        assert "not a feed" in state.problem
        assert (state.offer, state.looked_ms) == (before.offer, before.looked_ms)

    play(tmp_path, story)


def test_an_address_that_is_none_changes_nothing(tmp_path: Path) -> None:
    async def story(ann: Computer, feeds: FakeFeeds) -> None:
        before = await turned_on(ann)
        with pytest.raises(UserError):
            await ann.updates.turn_on("https://example.org/")
        assert ann.updates.state() == before

    play(tmp_path, story)


def test_an_answer_that_comes_when_it_is_off_does_nothing(tmp_path: Path) -> None:
    async def story(ann: Computer, feeds: FakeFeeds) -> None:
        await ann.boot()
        feeds.hold = asyncio.Event()
        await ann.updates.turn_on(ADDRESS)
        await until(lambda: bool(feeds.asked), 60)
        assert ann.updates.state().looking
        await ann.updates.turn_off()
        feeds.hold.set()
        await asyncio.sleep(DAY_S * 3)
        state = ann.updates.state()
        assert (state.on, state.looking, state.looked_ms) == (False, False, None)
        assert len(feeds.asked) == 1

    play(tmp_path, story)


def test_turned_on_twice_at_once_it_asks_once_a_day(tmp_path: Path) -> None:
    async def story(ann: Computer, feeds: FakeFeeds) -> None:
        await ann.boot()
        await asyncio.gather(ann.updates.turn_on(ADDRESS), ann.updates.turn_on(ADDRESS))
        await asyncio.sleep(DAY_S / 2)
        already = len(feeds.asked)
        assert already <= 2
        await asyncio.sleep(3 * DAY_S)
        assert len(feeds.asked) - already in (3, 4)
        assert ann.supervisor.names.count("updates") == 1

    play(tmp_path, story)
