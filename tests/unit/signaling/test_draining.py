"""When each node is told that the server ends. (The rest is in the integration tests.)"""

from __future__ import annotations

import asyncio
import itertools

from folkmoot.protocol.signaling import Restarting
from folkmoot_signaling.draining import LEAVE_S, drain, plan_drain
from unit.signaling.town import Node, Town


def test_everybody_has_a_time_within_the_spread() -> None:
    chances = itertools.cycle([0.9, 0.1, 0.5])
    planned = plan_drain(list(range(300)), 4.0, lambda: next(chances))
    assert sorted(item for _, item in planned) == list(range(300))
    assert [at for at, _ in planned] == sorted(at for at, _ in planned)
    assert planned[0][0] == 0.4
    assert planned[-1][0] == 3.6


def test_few_are_told_sooner_than_many() -> None:
    assert plan_drain([1, 2], 4.0, lambda: 1.0)[-1][0] == 0.1
    assert plan_drain([], 4.0, lambda: 1.0) == []


async def test_who_has_not_logged_in_is_closed_without_a_word_that_it_does_not_expect() -> None:
    town = Town()
    stranger = Node(town)
    await drain(town.hub, 0.0, "", asyncio.Event())
    assert stranger.came(Restarting) == []
    assert stranger.connection.closing


async def test_what_is_under_way_has_a_second_before_the_close() -> None:
    town = Town()
    await town.node()
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await drain(town.hub, 0.0, "", asyncio.Event())
    assert loop.time() - began_s >= LEAVE_S == 1.0
