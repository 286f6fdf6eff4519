"""The registry knows the newest state of every team, in whatever order commits are told."""

from __future__ import annotations

from builders.writers import Writer, facts_of
from folkmoot.domain.bodies import Channel, Level
from folkmoot.domain.fold import fold
from folkmoot.domain.ids import ConversationId
from folkmoot.services.ports import Appended
from folkmoot.services.registry import TeamRegistry


def test_an_older_state_of_a_team_never_replaces_a_newer_one() -> None:
    ann = Writer("ann")
    team = ConversationId(ann.found().id)
    facts = facts_of(team, [ann])
    older = fold(team, facts)
    ann.write(team, team, Channel("news", Level.MEMBER))
    newer = fold(team, facts_of(team, [ann]))
    registry = TeamRegistry(ann.person)
    registry.update(Appended(teams={team: newer}))
    registry.update(Appended(teams={team: older}))
    held = registry.team(team)
    assert held is not None
    assert [channel.name for channel in held.channels.values()] == ["news"]


def test_a_newer_state_of_a_team_replaces_the_older_one() -> None:
    ann = Writer("ann")
    team = ConversationId(ann.found().id)
    registry = TeamRegistry(ann.person)
    registry.update(Appended(teams={team: fold(team, facts_of(team, [ann]))}))
    ann.write(team, team, Channel("news", Level.MEMBER))
    newer = fold(team, facts_of(team, [ann]))
    registry.update(Appended(teams={team: newer}))
    assert registry.team(team) == newer
