"""Of very many keys those are tried that people use now."""

from __future__ import annotations

from builders.writers import seed
from folkmoot.domain.bodies import HISTORY_ALL, Level
from folkmoot.domain.ids import ConversationId, EntryId, PersonId
from folkmoot.domain.team import InviteState, TeamState
from folkmoot.protocol.handshake import MAX_KEYS
from folkmoot.protocol.invites import invite_key
from folkmoot.services.links import Knock, knocks_to_try


def _team(name: str, secrets: int, usable: int = 0, used: int = 0) -> TeamState:
    invites = [_invite(f"{name} {n}", used=0) for n in range(usable)]
    invites += [_invite(f"{name} used {n}", used=1) for n in range(used)]
    return TeamState(
        ConversationId(seed("team", name)),
        name,
        secrets=tuple(seed("secret", name, n) for n in range(secrets)),
        invites={invite.id: invite for invite in invites},
    )


def _invite(name: str, used: int) -> InviteState:
    return InviteState(
        EntryId(seed("invite", name)),
        seed("key", name),
        Level.MEMBER,
        may_invite=False,
        channels=(),
        history=HISTORY_ALL,
        expires_ms=0,
        uses=1,
        used=used,
        inviter=PersonId(seed("inviter")),
    )


def test_the_secret_in_force_of_every_team_comes_before_all_older_ones() -> None:
    teams = [_team("a", secrets=400), _team("b", secrets=3)]
    tried = knocks_to_try(teams)[:MAX_KEYS]
    assert [knock.key for knock in tried[:2]] == [team.secrets[-1] for team in teams]
    assert {team.secrets[-2] for team in teams} <= {knock.key for knock in tried[:4]}


def test_an_invitation_that_can_be_used_is_tried_however_many_old_secrets_there_are() -> None:
    team = _team("a", secrets=400, usable=1, used=400)
    tried = [knock.invite for knock in knocks_to_try([team])[:MAX_KEYS]]
    assert EntryId(seed("invite", "a 0")) in tried


def test_used_invitations_keep_nobody_out_who_was_long_away() -> None:
    team = _team("a", secrets=5, used=400)
    tried = {knock.key for knock in knocks_to_try([team])[:MAX_KEYS]}
    assert set(team.secrets) <= tried


def test_every_key_is_among_them_once() -> None:
    direct = ConversationId(seed("direct"))
    team = _team("a", secrets=3, usable=2, used=1)
    knocks = knocks_to_try([team], [direct])
    assert len(knocks) == len({knock.key for knock in knocks}) == 7
    assert knocks[-1] == Knock(direct)
    assert Knock(invite_key(seed("key", "a 1")), team.id, EntryId(seed("invite", "a 1"))) in knocks
