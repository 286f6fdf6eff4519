"""Epochs grow, with Redis and without it, whatever the clocks say."""

from __future__ import annotations

import asyncio

from folkmoot_signaling.epochs import Epochs


async def test_those_who_wait_get_one_each() -> None:
    epochs = Epochs(lambda: 100.0)
    first, second = (asyncio.ensure_future(epochs.ask(5)) for _ in range(2))
    await asyncio.sleep(0)
    waiting = epochs.take()
    assert not epochs
    epochs.give(waiting, 200_000_000)
    assert (await first, await second) == (200_000_000, 200_000_001)
    assert epochs.own() == 200_000_002


async def test_without_an_answer_the_clock_gives_one_that_is_greater() -> None:
    epochs = Epochs(lambda: 100.0)
    assert await epochs.ask(0.01) == 100_000_000
    assert epochs.own() == 100_000_001
    asked = asyncio.ensure_future(epochs.ask(5))
    await asyncio.sleep(0)
    epochs.give_up()
    assert await asked == 100_000_002


async def test_who_waits_no_more_takes_nothing_from_the_others() -> None:
    epochs = Epochs(lambda: 100.0)
    gone, there = (asyncio.ensure_future(epochs.ask(5)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    epochs.give(epochs.take(), 200_000_000)
    assert await there == 200_000_001


def test_the_clock_of_redis_counts_while_it_is_away() -> None:
    epochs = Epochs(lambda: 100.0)
    epochs.set_clock(160_000_000)
    assert epochs.own() == 160_000_000
    epochs.set_clock(90_000_000)
    assert epochs.own() == 160_000_001
