"""Servers of a person: which are kept, under which tags this node is, and who is told of whom."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from builders.nodes import LoneNode, open_node
from builders.writers import seed
from fakes.signaling import FakeSignaling, MemoryServer
from folkmoot.domain.bodies import HISTORY_ALL, Level
from folkmoot.domain.errors import EnvironmentFault, UserError
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId
from folkmoot.domain.servers import MAX_SERVERS, ServerUrl, parse_server
from folkmoot.domain.team import GrantState, InviteState, TeamState
from folkmoot.protocol.invites import invite_key, read_link
from folkmoot.protocol.signaling import MAX_ROOM_DEVICES, make_grant, rendezvous_tag
from folkmoot.services.events import NoticeChanged, ServersChanged
from folkmoot.services.links import Knock
from folkmoot.services.meeting_keys import MAX_INVITES, keys_to_meet
from folkmoot.services.rendezvous import NOTICE, SETTING
from folkmoot.services.values import ServerPhase, Team

URL = "wss://talk.example.org"
HERE = parse_server(URL)
ME = PersonId(seed("me"))
BEN = DeviceId(b"b" * 32)


@dataclass
class Told:
    """Who was told of whom."""

    met_: list[tuple[str, Knock]] = field(default_factory=list)
    left_: list[str] = field(default_factory=list)

    def met(self, address: str, _device: DeviceId, knock: Knock) -> None:
        """Somebody is there."""
        self.met_.append((address, knock))

    def left(self, address: str, _device: DeviceId) -> None:
        """Somebody is there no more."""
        self.left_.append(address)


@pytest.fixture
def servers() -> dict[ServerUrl, MemoryServer]:
    """One server that is up."""
    return {HERE: MemoryServer(HERE)}


@pytest.fixture
async def met(tmp_path: Path, servers: dict[ServerUrl, MemoryServer]) -> AsyncIterator[LoneNode]:
    """A node with signaling."""
    opened = await open_node(tmp_path, servers=servers)
    yield opened
    await opened.node.aclose()


def _signaling(lone: LoneNode) -> FakeSignaling:
    assert lone.signaling is not None
    return lone.signaling


async def test_servers_are_kept_and_those_of_the_command_line_are_not(
    tmp_path: Path, servers: dict[ServerUrl, MemoryServer]
) -> None:
    first = await open_node(tmp_path, servers=servers, signaling_urls=["ws://10.0.0.9:1"])
    await first.node.servers.add("TALK.example.org")
    assert [one.url for one in first.node.servers.list()] == ["ws://10.0.0.9:1", URL]
    await first.node.aclose()
    again = await open_node(tmp_path, servers=servers)
    [only] = again.node.servers.list()
    assert (only.url, only.typed) == (URL, True)
    await again.node.servers.remove(URL)
    assert await again.store.setting(SETTING) is None
    await again.node.aclose()


@pytest.mark.parametrize(
    ("setting", "left"),
    [
        ("nonsense", []),
        ("{}", []),
        ("7", []),
        ('[{"url": "ftp://x"}, 7, null, "x", {}, {"url": 5}, {"url": "%s"}]', [URL]),
        (json.dumps([{"url": f"wss://s{n}.example.org"} for n in range(40)]), None),
    ],
)
async def test_of_a_list_that_is_damaged_what_can_be_read_is_used(
    tmp_path: Path, servers: dict[ServerUrl, MemoryServer], setting: str, left: list[str] | None
) -> None:
    first = await open_node(tmp_path, servers=servers)
    await first.store.set_setting(SETTING, setting.replace("%s", URL))
    await first.node.aclose()
    again = await open_node(tmp_path, servers=servers)
    urls = [one.url for one in again.node.servers.list()]
    assert urls == left if left is not None else len(urls) == MAX_SERVERS
    await again.node.servers.remove(urls[0]) if urls else await again.node.servers.add(URL)
    await again.node.aclose()


async def test_what_is_no_server_and_what_is_one_too_many_is_refused(met: LoneNode) -> None:
    with pytest.raises(UserError, match="not the address of a server"):
        await met.node.servers.add("ftp://example.org")
    for number in range(MAX_SERVERS):
        await met.node.servers.add(f"wss://s{number}.example.org")
    await met.node.servers.add("wss://s0.example.org")  # again is harmless
    with pytest.raises(UserError) as refused:
        await met.node.servers.add(URL)
    assert refused.value.code == "too_many_servers"
    with pytest.raises(UserError) as unknown:
        await met.node.servers.remove(URL)
    assert unknown.value.code == "not_found"
    await met.node.servers.bring([URL, "nonsense:", "wss://s1.example.org"])
    assert len(met.node.servers.list()) == MAX_SERVERS


async def test_a_server_of_an_invitation_is_kept_as_such_until_it_is_typed(met: LoneNode) -> None:
    await met.node.servers.bring([URL, URL, "wss://u@x"])
    [brought] = met.node.servers.list()
    assert not brought.typed
    assert json.loads(await met.store.setting(SETTING) or "") == [{"url": URL, "typed": False}]
    assert (await met.node.servers.add(URL)).typed


async def test_a_member_is_under_the_tags_of_secrets_and_usable_invitations(
    met: LoneNode,
) -> None:
    await met.node.servers.add(URL)
    team = await met.node.teams.create("Crew")
    [state] = met.node.registry.teams()
    secret = rendezvous_tag(state.secrets[-1], URL)
    assert _signaling(met).tags[HERE] == (secret,)
    made = await met.node.teams.invite(team.id, expires_s=600)
    key = invite_key(met.node.registry.teams()[0].invites[made.id].public_key)
    assert set(_signaling(met).tags[HERE]) == {secret, rendezvous_tag(key, URL)}
    met.clock.now_ms += 601_000
    met.node.servers.teams_changed()
    assert _signaling(met).tags[HERE] == (secret,)


async def test_an_invitation_carries_the_servers_behind_the_addresses(met: LoneNode) -> None:
    team = await met.node.teams.create("Crew")
    await met.node.servers.add(URL)
    link = read_link((await met.node.teams.invite(team.id)).link)
    assert link.servers == (URL,)
    assert link.addresses == (*link.computers, URL)


async def test_who_comes_and_goes_is_told_with_the_key_that_matters_most(
    met: LoneNode,
) -> None:
    told = Told()
    met.node.servers.watch(told)
    team, tag = await _with_team(met)
    _signaling(met).listener_told("came", HERE, tag, BEN)
    assert told.met_ == [(f"relay://talk.example.org:443/{BEN.hex()}", _secret(met, team))]
    _signaling(met).listener_told("went", HERE, tag, BEN)
    _signaling(met).listener_told("went", HERE, tag, BEN)
    assert told.left_ == [told.met_[0][0]]


async def test_a_server_that_says_too_much_is_not_heard(met: LoneNode) -> None:
    told = Told()
    met.node.servers.watch(told)
    _team, tag = await _with_team(met)
    me = met.node.identity.me().device
    _signaling(met).listener_told("came", HERE, b"x" * 16, BEN)
    _signaling(met).listener_told("came", parse_server("wss://other.example"), tag, BEN)
    _signaling(met).listener_told("came", HERE, tag, me)
    assert told.met_ == []
    for number in range(2 * MAX_ROOM_DEVICES):
        device = DeviceId(number.to_bytes(32, "big"))
        _signaling(met).listener_told("came", HERE, tag, device)
    assert len(told.met_) == MAX_ROOM_DEVICES


async def test_removing_a_server_is_leaving_everybody_there(met: LoneNode) -> None:
    told = Told()
    met.node.servers.watch(told)
    _team, tag = await _with_team(met)
    _signaling(met).listener_told("came", HERE, tag, BEN)
    await met.node.servers.remove(URL)
    assert len(told.left_) == 1
    assert met.node.servers.list() == []


async def test_changes_are_told_once_for_many(met: LoneNode) -> None:
    _team, tag = await _with_team(met)
    await asyncio.sleep(0.2)
    before = len(met.told(ServersChanged))
    for number in range(50):
        _signaling(met).listener_told("came", HERE, tag, DeviceId(number.to_bytes(32, "big")))
    _signaling(met)._away(HERE)
    async with asyncio.timeout(20):
        while len(met.told(ServersChanged)) == before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert len(met.told(ServersChanged)) == before + 1


async def test_it_is_said_when_no_server_is_reached_and_when_one_is_again(met: LoneNode) -> None:
    await met.node.servers.add("wss://gone.example.org")
    await asyncio.sleep(0)
    assert [notice.code for notice in met.node.notices()] == [NOTICE]
    await met.node.servers.add(URL)
    await _wait_for_ready(met)
    assert met.node.notices() == []
    ended = [one for one in met.told(NoticeChanged) if isinstance(one, NoticeChanged)]
    assert [bool(one.message) for one in ended if one.code == NOTICE] == [True, False]


async def test_mail_is_handed_to_who_asked_and_left_where_it_is_wanted(met: LoneNode) -> None:
    came: list[tuple[ServerUrl, bytes, bytes]] = []
    met.node.servers.on_mail(lambda url, id, sealed: came.append((url, id, sealed)))
    await met.node.servers.add(URL)
    await _wait_for_ready(met)
    me = met.node.identity.me().device
    grant = make_grant(met.node.identity.keyring.device_key, me, 2**40)
    assert 590 <= await met.node.servers.put(HERE, me, grant, b"sealed", 600) <= 600
    [(url, id, sealed)] = came
    assert (url, sealed) == (HERE, b"sealed")
    met.node.servers.taken(HERE, [id])
    assert _signaling(met).servers[HERE].office.waiting(me) == []
    assert met.node.servers.states()[HERE].mail_s > 0
    with pytest.raises(EnvironmentFault, match="not connected"):
        await met.node.servers.put(parse_server("wss://other.example"), me, b"", b"", 600)


async def test_without_signaling_servers_are_kept_for_another_day(lone: LoneNode) -> None:
    added = await lone.node.servers.add(URL)
    assert added.phase is ServerPhase.OFF


def test_of_too_many_keys_those_stay_that_matter_most() -> None:
    teams = [_team(f"team {number}", 6, 5) for number in range(12)]
    knocks = keys_to_meet(teams, ME, 0)
    newest = [Knock(state.secrets[-1], state.id) for state in teams]
    assert knocks[: len(teams)] == newest
    invites = knocks[len(teams) : len(teams) + MAX_INVITES]
    assert all(knock.invite is not None for knock in invites)
    assert {knock.team for knock in invites} == {state.id for state in teams}
    assert len(knocks) == 4 * len(teams) + MAX_INVITES


def test_who_may_let_nobody_in_is_not_met_by_invitations() -> None:
    knocks = keys_to_meet([_team("Crew", 1, 5, Level.GUEST)], ME, 0)
    assert [knock.invite for knock in knocks] == [None]


def _team(name: str, secrets: int, usable: int, role: Level = Level.MEMBER) -> TeamState:
    invites = [
        InviteState(
            EntryId(seed("invite", name, number)),
            seed("key", name, number),
            Level.MEMBER,
            may_invite=False,
            channels=(),
            history=HISTORY_ALL,
            expires_ms=0,
            uses=0,
            used=0,
            inviter=PersonId(seed("inviter")),
        )
        for number in range(usable)
    ]
    grant = GrantState(EntryId(seed("grant", name)), ME, role, 1, True, False, (), HISTORY_ALL)
    return TeamState(
        ConversationId(seed("team", name)),
        name,
        secrets=tuple(seed("secret", name, n) for n in range(secrets)),
        invites={invite.id: invite for invite in invites},
        grants={grant.id: grant},
    )


async def _with_team(met: LoneNode) -> tuple[Team, bytes]:
    """A team, and its tag at the server."""
    await met.node.servers.add(URL)
    await _wait_for_ready(met)
    team = await met.node.teams.create("Crew")
    return team, rendezvous_tag(_secret(met, team).key, URL)


def _secret(met: LoneNode, team: Team) -> Knock:
    state = met.node.registry.team(team.id)
    assert state is not None
    return Knock(state.secrets[-1], state.id)


async def _wait_for_ready(met: LoneNode) -> None:
    async with asyncio.timeout(20):
        while met.node.servers.list()[-1].phase is not ServerPhase.READY:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
