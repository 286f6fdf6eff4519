"""The one place where tasks start and end."""

from __future__ import annotations

import asyncio
import logging

import pytest

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.services.supervisor import Supervisor


class Bugs(list[tuple[str, str]]):
    def __call__(self, task: str, error: BaseException) -> None:
        self.append((task, repr(error)))


async def test_a_task_that_dies_of_a_bug_is_told_by_its_name() -> None:
    bugs = Bugs()
    supervisor = Supervisor(bugs)

    async def die() -> None:
        raise KeyError("oops")

    task = supervisor.start("sync", die())
    await asyncio.wait([task])
    assert bugs == [("sync", "KeyError('oops')")]
    assert supervisor.names == []


async def test_an_expected_fault_is_logged_and_no_bug(caplog: pytest.LogCaptureFixture) -> None:
    bugs = Bugs()
    supervisor = Supervisor(bugs)

    async def fail() -> None:
        raise EnvironmentFault("unreachable", "Nobody is there.")

    with caplog.at_level(logging.WARNING):
        await asyncio.wait([supervisor.start("dial", fail())])
    assert bugs == []
    assert "task dial ended: Nobody is there. (unreachable)" in caplog.text


async def test_closing_cancels_and_waits_for_every_task() -> None:
    supervisor = Supervisor(Bugs())
    ended: list[str] = []

    async def live(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(name)

    for name in ("a", "b"):
        supervisor.start(name, live(name))
    await asyncio.sleep(0)
    assert supervisor.names == ["a", "b"]
    await supervisor.aclose()
    assert sorted(ended) == ["a", "b"]


async def test_closing_cancels_in_the_order_of_the_starts() -> None:
    """By address in memory it would be another order each time, also in a simulation."""
    supervisor = Supervisor(Bugs())
    ended: list[int] = []

    async def live(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    for number in range(50):
        supervisor.start(f"task {number}", live(number))
    await asyncio.sleep(0)
    await supervisor.aclose()
    assert ended == list(range(50))


async def test_a_task_that_will_not_end_is_left_behind_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    supervisor = Supervisor(Bugs())
    release = asyncio.Event()

    async def cling() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    task = supervisor.start("clinging", cling())
    await asyncio.sleep(0)
    await supervisor.aclose(timeout_s=0.01)
    assert "task clinging did not end" in caplog.text
    release.set()
    await task


async def test_after_closing_nothing_new_runs() -> None:
    supervisor = Supervisor(Bugs())
    await supervisor.aclose()
    ran: list[bool] = []

    async def run() -> None:
        ran.append(True)

    await asyncio.wait([supervisor.start("late", run())])
    assert ran == []
