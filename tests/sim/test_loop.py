"""The simulator itself: virtual time, seeded order, and an end to what never becomes quiet."""

from __future__ import annotations

import asyncio

import pytest

from sim.loop import StepBudgetSpent, sim_loop


async def _race() -> list[int]:
    order: list[int] = []

    async def run(number: int) -> None:
        await asyncio.sleep(0)
        order.append(number)

    await asyncio.gather(*(run(number) for number in range(6)))
    return order


def test_an_hour_of_sleep_takes_no_time_and_moves_the_clock_by_an_hour() -> None:
    loop = sim_loop(1)
    loop.run(asyncio.sleep(3600))
    assert loop.time() == 3600


def test_the_same_seed_makes_the_same_choices() -> None:
    first, second = sim_loop(7), sim_loop(7)
    assert first.run(_race()) == second.run(_race())
    assert first.trace == second.trace


def test_other_seeds_reach_other_orders() -> None:
    assert len({tuple(sim_loop(seed).run(_race())) for seed in range(20)}) > 10


def test_a_timeout_fires_in_virtual_time() -> None:
    async def wait() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.Event().wait()

    loop = sim_loop(1)
    loop.run(wait())
    assert loop.time() == 5


def test_a_program_that_never_becomes_quiet_is_stopped() -> None:
    async def storm() -> None:
        while True:  # noqa: ASYNC110 - being busy is the point
            await asyncio.sleep(0)

    with pytest.raises(StepBudgetSpent):
        sim_loop(1, step_budget=1000).run(storm())


def test_threads_are_refused() -> None:
    async def use_a_thread() -> None:
        await asyncio.to_thread(int)

    with pytest.raises(AssertionError, match="no threads"):
        sim_loop(1).run(use_a_thread())
