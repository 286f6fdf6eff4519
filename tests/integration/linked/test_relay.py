"""Somebody between two nodes who has a TLS connection to each and passes every frame on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.net.tls import TlsTransport
from folkmoot.services.links import Knock
from folkmoot.services.node import Node
from folkmoot.services.ports import Stream
from integration.linked.nodes import open_node, until


class Relay:
    """Listens, dials the victim for each link, and passes the frames on unchanged."""

    def __init__(self, victim: str) -> None:
        self.victim = victim
        self.passed = 0
        self.transport = TlsTransport()

    async def listen(self) -> str:
        """Begin; the address to lure somebody to."""
        return (await self.transport.listen(["127.0.0.1:0"], self._relay))[0]

    async def _relay(self, near: Stream) -> None:
        far = await self.transport.dial(self.victim, 20)
        try:
            await asyncio.wait(
                [
                    asyncio.ensure_future(self._pump(near, far)),
                    asyncio.ensure_future(self._pump(far, near)),
                ],
                return_when=asyncio.ALL_COMPLETED,
            )
        finally:
            await far.aclose()

    async def _pump(self, source: Stream, sink: Stream) -> None:
        try:
            while True:
                sink.send(await source.receive())
                self.passed += 1
        except (EnvironmentFault, PeerError):
            await sink.aclose()


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[Node, Node]]:
    """Two members of one visible team who are not linked."""
    ann, ben = await open_node("ann", tmp_path), await open_node("ben", tmp_path)
    team = await ann.teams.create("Crew")
    await ben.joining.join((await ann.teams.invite(team.id)).link)
    await until(lambda: bool(ann.links.members()) and bool(ben.links.members()))
    yield ann, ben
    await ann.aclose()
    await ben.aclose()


@pytest.mark.parametrize("knows_key", [True, False])
async def test_a_relaying_attacker_is_refused_by_both(
    pair: tuple[Node, Node], caplog: pytest.LogCaptureFixture, knows_key: bool
) -> None:
    ann, ben = pair
    [state] = ann.registry.teams()
    before = ben.links.members()
    relay = Relay(ben.listening[0])
    address = await relay.listen()
    knock = Knock(state.secrets[-1], state.id) if knows_key else None
    with caplog.at_level(logging.INFO):
        with pytest.raises((PeerError, EnvironmentFault)) as raised:
            await ann.links.dial(address, knock, stranger=not knows_key)
        assert raised.value.code == ("unknown_listener" if knows_key else "link_closed")
        if not knows_key:
            await until(lambda: "(bad_signature)" in caplog.text)
    assert relay.passed >= 2
    assert ben.links.members() == before
    assert ben.links.strangers() == []
    await relay.transport.aclose()
