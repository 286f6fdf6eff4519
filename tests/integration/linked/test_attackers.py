"""Nodes over real TLS and those who attack them on the way or at the door."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from folkmoot.domain.errors import EnvironmentFault, PeerError, UserError
from folkmoot.domain.ids import ConversationId
from folkmoot.net.tls import TlsTransport
from folkmoot.protocol import frames
from folkmoot.protocol.invites import invite_key
from folkmoot.services.links import Knock
from folkmoot.services.node import Node
from folkmoot.services.ports import Stream
from integration.linked.nodes import open_node, until
from sim.attackers import dial
from sim.world import keys_of


@pytest.fixture
async def ann(tmp_path: Path) -> AsyncIterator[Node]:
    """A node with a visible team."""
    node = await open_node("ann", tmp_path)
    await node.teams.create("Crew")
    yield node
    await node.aclose()


@pytest.fixture
async def door() -> AsyncIterator[TlsTransport]:
    """The attacker's own way to the network."""
    transport = TlsTransport()
    yield transport
    await transport.aclose()


async def _relay(stream: Stream, door: TlsTransport, victim: str) -> None:
    """Pass every frame on to the victim and back, over two TLS connections."""
    onward = await door.dial(victim, 20)

    async def pass_on(source: Stream, target: Stream) -> None:
        while True:
            target.send(await source.receive())

    async with asyncio.TaskGroup() as group:
        group.create_task(pass_on(stream, onward))
        group.create_task(pass_on(onward, stream))


@pytest.mark.parametrize(("visible", "code"), [(True, "unknown_listener"), (False, "link_closed")])
async def test_a_relay_between_two_nodes_is_refused_by_both(
    tmp_path: Path,
    ann: Node,
    door: TlsTransport,
    caplog: pytest.LogCaptureFixture,
    visible: bool,
    code: str,
) -> None:
    """The knock is bound to the TLS certificate, of which a relay has another one.

    A listener that is open to strangers takes it for one, and the dialler sees that it does not
    know the secret; a listener that is not hangs up at once.
    """
    caplog.set_level(logging.INFO)
    ben = await open_node("ben", tmp_path)
    [team] = ann.teams.list()
    await ben.joining.join((await ann.teams.invite(team.id)).link)
    await ann.teams.set_visible(team.id, visible)
    secret = ben.registry.teams()[0].secrets[-1]

    async def relay(stream: Stream) -> None:
        try:
            await _relay(stream, door, ann.listening[0])
        except* (EnvironmentFault, PeerError):
            pass

    [address] = await door.listen(["127.0.0.1:0"], relay)
    with pytest.raises((PeerError, EnvironmentFault)) as refused:
        await ben.links.dial(address, Knock(secret, ConversationId(team.id)))
    assert refused.value.code == code
    if not visible:
        await until(lambda: "(stranger)" in caplog.text)
    direct = await ben.links.dial(ann.listening[0], Knock(secret, ConversationId(team.id)))
    assert direct.person == ann.identity.person
    await ben.aclose()


async def test_a_stranger_who_sends_frames_of_members_is_cut_off(
    ann: Node, door: TlsTransport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    raw = await dial(door, ann.listening[0], keys_of("mallory"), None)
    raw.send(frames.Digest(bytes(32)))
    assert await raw.ended() == "stranger_frame"
    await until(lambda: "stranger_frame" in caplog.text)


async def test_a_stranger_who_floods_is_cut_off(ann: Node, door: TlsTransport) -> None:
    raw = await dial(door, ann.listening[0], keys_of("mallory"), None)
    for number in range(200):
        raw.send(frames.Ping(number))
    assert await raw.ended() == "flood"


async def test_a_stranger_learns_visible_names_and_nothing_else(
    ann: Node, door: TlsTransport
) -> None:
    await ann.teams.create("Hidden", visible=False)
    raw = await dial(door, ann.listening[0], keys_of("mallory"), None)
    raw.send(frames.TeamsWanted())
    told = await raw.first(frames.Teams)
    assert [row.name for row in told.rows] == ["Crew"]
    assert {type(frame) for frame in raw.got} <= {frames.Hello, frames.Teams, frames.Ping}
    await raw.aclose()


async def test_a_secret_without_membership_is_served_nothing(ann: Node, door: TlsTransport) -> None:
    secret = ann.registry.teams()[0].secrets[-1]
    raw = await dial(door, ann.listening[0], keys_of("mallory"), secret)
    [team] = ann.teams.list()
    raw.send(frames.Digest(bytes(32)), frames.Vectors(team.id, (), False))
    told = await raw.first(frames.Digests)
    await asyncio.sleep(0.3)
    assert told.rows == ()
    assert raw.of(frames.Segment) == []
    await raw.aclose()


async def test_an_invitation_shown_with_anothers_proof_is_refused(
    tmp_path: Path, ann: Node, door: TlsTransport
) -> None:
    [team] = ann.teams.list()
    invite = await ann.teams.invite(team.id)
    state = ann.registry.team(team.id)
    assert state is not None
    key = state.invites[invite.id].public_key
    raw = await dial(door, ann.listening[0], keys_of("mallory"), invite_key(key))
    raw.send(frames.Join(team.id, invite.id, "Mallory", bytes(64)))
    assert await raw.ended() == "bad_proof"
    assert len(ann.teams.members(team.id)) == 1


async def test_a_damaged_link_is_said_so(tmp_path: Path, ann: Node) -> None:
    with pytest.raises(UserError) as refused:
        await ann.joining.join("folkmoot://join/nonsense")
    assert refused.value.code == "wrong_invitation"


async def test_a_node_does_not_link_with_itself(ann: Node) -> None:
    with pytest.raises(UserError):
        await ann.peers.dial(ann.listening[0])
    await until(lambda: not ann.links.members())
