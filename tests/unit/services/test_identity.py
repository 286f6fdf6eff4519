"""Who this node is, and by what name."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.nodes import LoneNode, open_node
from folkmoot.domain.errors import UserError
from folkmoot.services.events import IdentityChanged
from folkmoot.services.values import Team


async def test_before_a_name_is_chosen_the_proposed_one_holds(lone: LoneNode) -> None:
    me = lone.node.identity.me()
    assert (me.name, me.device_name, me.words) == (
        "Ada",
        "Ada's computer",
        ("able", "baker", "cat", "dog"),
    )
    assert not lone.node.identity.named


async def test_a_name_is_told_in_every_team_and_kept(tmp_path: Path) -> None:
    first = await open_node(tmp_path)
    teams = [await first.node.teams.create(name) for name in ("One", "Two")]
    me = await first.node.identity.rename("  Ada Lovelace ")
    assert me.name == "Ada Lovelace"
    assert first.told(IdentityChanged) == [IdentityChanged(me)]
    for team in teams:
        assert [member.name for member in first.node.teams.members(team.id)] == ["Ada Lovelace"]
    await first.node.aclose()
    again = await open_node(tmp_path)
    assert again.node.identity.me().name == "Ada Lovelace"
    assert again.node.identity.named
    await again.node.aclose()


async def test_telling_a_name_that_is_known_writes_nothing(lone: LoneNode, team: Team) -> None:
    before = await lone.store.heads(team.id)
    await lone.node.teams.joined(team.id)
    await lone.node.identity.rename("Ada")
    assert await lone.store.heads(team.id) == before


async def test_the_computer_is_renamed_until_the_first_team(lone: LoneNode) -> None:
    me = await lone.node.identity.rename("Ada", "Lighthouse")
    assert me.device_name == "Lighthouse"
    [saved] = lone.saved
    assert saved.certificate.name == "Lighthouse"
    assert (saved.person, saved.device) == (me.person, me.device)
    team = await lone.node.teams.create("T")
    state = lone.node.registry.team(team.id)
    assert state is not None
    assert state.certificates[me.device].name == "Lighthouse"
    with pytest.raises(UserError) as raised:
        await lone.node.identity.rename("Eve", "Cellar")
    assert raised.value.code == "device_name_fixed"
    assert lone.node.identity.me().name == "Ada"


async def test_an_empty_name_is_refused(lone: LoneNode) -> None:
    with pytest.raises(UserError) as raised:
        await lone.node.identity.rename(" ")
    assert raised.value.code == "bad_text"
