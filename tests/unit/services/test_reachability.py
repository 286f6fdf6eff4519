"""Own addresses that change: links over those that are gone end, and whoever must know is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from folkmoot.services import reachability
from folkmoot.services.links import Links
from folkmoot.services.ports import Store, Transport
from folkmoot.services.reachability import Reachability
from folkmoot.services.sightings import Sightings
from folkmoot.services.supervisor import Supervisor


class FakeLink:
    """A link over one own address."""

    def __init__(self, local_host: str) -> None:
        self.local_host = local_host
        self.reason = ""

    def close(self, code: str, _words: str) -> None:
        """End it."""
        self.reason = code


class World:
    """A computer whose addresses the test sets; it is transport and links at once."""

    def __init__(self) -> None:
        self.own = ["10.0.0.1:7000"]
        self.said: list[list[str]] = []
        self.links: list[FakeLink] = []
        self.told = 0
        self.looks = 0

    def moved(self) -> None:
        """What `watch` calls."""
        self.told += 1

    async def listen(self, _wanted: object) -> list[str]:
        return ["0.0.0.0:7000"]

    async def addresses(self) -> list[str]:
        self.looks += 1
        return list(self.own)

    def says(self, addresses: list[str]) -> None:
        self.said.append(list(addresses))

    def members(self) -> list[FakeLink]:
        return self.links

    async def look(self) -> None:
        """Wait until it was looked at the addresses anew."""
        seen = self.looks
        async with asyncio.timeout(20):
            while self.looks < seen + 2:  # noqa: ASYNC110 - the loop that looks sets no event
                await asyncio.sleep(0.005)


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(reachability, "LOOK_S", 0.01)
    made = World()
    bugs: list[str] = []
    supervisor = Supervisor(lambda name, error: bugs.append(f"{name}: {error}"))
    looking = Reachability(
        cast(Links, made),
        cast(Transport, made),
        None,
        cast(Store, made),
        cast(Sightings, made),
        lambda _code, _message, _hint: None,
        supervisor,
    )
    looking.watch(made.moved)
    await looking.listen(["0.0.0.0:7000"])
    await looking.start()
    yield made
    await supervisor.aclose()
    assert bugs == []


def test_it_is_looked_so_often_that_five_seconds_suffice() -> None:
    assert reachability.LOOK_S <= 2.0


async def test_the_start_is_no_change_and_neither_is_the_same_again(world: World) -> None:
    await world.look()
    assert world.said == [["10.0.0.1:7000"]]
    assert world.told == 0


async def test_a_new_address_is_told_once_and_links_over_the_old_one_end(world: World) -> None:
    world.links = [FakeLink("10.0.0.1"), FakeLink("10.9.9.9")]
    world.own = ["10.0.0.2:7000"]
    await world.look()
    assert world.said[1:] == [["10.0.0.2:7000"]]
    assert world.told == 1
    assert [link.reason for link in world.links] == ["dead", ""]


async def test_while_there_is_no_network_links_wait_for_it_to_come_back(world: World) -> None:
    world.links = [FakeLink("10.0.0.1")]
    world.own = ["127.0.0.1:7000"]
    await world.look()
    world.own = ["10.0.0.1:7000"]
    await world.look()
    assert world.links[0].reason == ""
    assert world.told == 2
