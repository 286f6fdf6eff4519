"""Founding teams, naming them, inviting."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.nodes import LoneNode, open_node
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId
from folkmoot.protocol.invites import read_link
from folkmoot.protocol.keys import Signer
from folkmoot.services.events import MembersChanged, TeamChanged
from folkmoot.services.values import Role, Team


async def test_a_new_team_has_its_founder_as_owner_and_a_general_channel(lone: LoneNode) -> None:
    team = await lone.node.teams.create("  Harbour Studio ", visible=False)
    assert (team.name, team.role, team.members, team.visible) == (
        "Harbour Studio",
        Role.OWNER,
        1,
        False,
    )
    [member] = lone.node.teams.members(team.id)
    assert (member.name, member.role, member.is_me) == ("Ada", Role.OWNER, True)
    assert member.devices == (lone.node.identity.device,)
    [channel] = await lone.node.conversations.list()
    assert (channel.name, channel.team) == ("general", team.id)
    assert lone.told(TeamChanged) == [TeamChanged(team)]
    assert lone.told(MembersChanged) == [MembersChanged(team.id)]


async def test_a_team_is_there_after_a_restart(tmp_path: Path) -> None:
    first = await open_node(tmp_path)
    team = await first.node.teams.create("Harbour Studio")
    await first.node.aclose()
    again = await open_node(tmp_path)
    assert again.node.teams.list() == [team]
    renamed = await again.node.teams.rename(team.id, "Pier")
    assert (renamed.name, again.node.teams.list()) == ("Pier", [renamed])
    await again.node.aclose()


async def test_a_team_has_a_secret_to_knock_with(lone: LoneNode, team: Team) -> None:
    state = lone.node.registry.team(team.id)
    assert state is not None
    assert [len(secret) for secret in state.secrets] == [32]


async def test_the_switch_for_being_seen_goes_both_ways(lone: LoneNode, team: Team) -> None:
    assert not (await lone.node.teams.set_visible(team.id, False)).visible
    assert (await lone.node.teams.set_visible(team.id, True)).visible


async def test_setting_what_is_so_already_writes_nothing(lone: LoneNode, team: Team) -> None:
    before = await lone.store.heads(team.id)
    await lone.node.teams.set_visible(team.id, True)
    await lone.node.teams.rename(team.id, "Harbour Studio")
    assert await lone.store.heads(team.id) == before


async def test_an_invitation_is_a_link_with_the_key_that_the_log_names(
    lone: LoneNode, team: Team
) -> None:
    invite = await lone.node.teams.invite(team.id, expires_s=60, uses=2)
    assert invite.expires_at_ms == lone.clock.now_ms + 60_000
    assert (invite.role, invite.uses_left) == (Role.MEMBER, 2)
    link = read_link(invite.link)
    assert (link.team, link.invite, link.team_name) == (team.id, invite.id, "Harbour Studio")
    state = lone.node.registry.team(team.id)
    assert state is not None
    assert state.invites[invite.id].public_key == Signer(link.seed).public


async def test_open_invitations_are_listed_with_their_links_after_a_restart(
    tmp_path: Path,
) -> None:
    first = await open_node(tmp_path)
    team = await first.node.teams.create("Harbour Studio")
    invite = await first.node.teams.invite(team.id)
    await first.node.aclose()
    again = await open_node(tmp_path)
    assert await again.node.teams.invites(team.id) == [invite]
    await again.node.aclose()


async def test_an_expired_invitation_is_not_listed(lone: LoneNode, team: Team) -> None:
    await lone.node.teams.invite(team.id, expires_s=60)
    lone.clock.now_ms += 60_000
    assert await lone.node.teams.invites(team.id) == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"role": Role.ADMIN}, "forbidden"),
        ({"role": Role.OWNER}, "forbidden"),
        ({"uses": 0}, "bad_uses"),
        ({"uses": 10**9}, "bad_uses"),
        ({"expires_s": 0}, "bad_expiry"),
        ({"expires_s": 10**12}, "bad_expiry"),
    ],
)
async def test_an_invitation_with_wrong_terms_is_refused(
    lone: LoneNode, team: Team, options: dict[str, object], code: str
) -> None:
    with pytest.raises(UserError) as raised:
        await lone.node.teams.invite(team.id, **options)  # type: ignore[arg-type]
    assert raised.value.code == code


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\u202eb", "\u200b"])
async def test_a_name_that_cannot_be_read_is_refused(lone: LoneNode, name: str) -> None:
    with pytest.raises(UserError) as raised:
        await lone.node.teams.create(name)
    assert raised.value.code == "bad_text"
    assert lone.node.teams.list() == []


async def test_an_unknown_team_is_not_found(lone: LoneNode) -> None:
    nowhere = ConversationId(bytes(range(32)))
    for act in (
        lambda: lone.node.teams.rename(nowhere, "x"),
        lambda: lone.node.teams.invite(nowhere),
        lambda: lone.node.conversations.create_channel(nowhere, "x"),
    ):
        with pytest.raises(UserError) as raised:
            await act()
        assert raised.value.code == "not_found"
