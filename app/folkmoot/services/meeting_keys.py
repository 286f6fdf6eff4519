"""Under which keys members of a team meet at a server, in the order of what matters most. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest

from folkmoot.domain.ids import PersonId
from folkmoot.domain.team import Act, InviteState, TeamState
from folkmoot.protocol.codec import MAX_INTEGER
from folkmoot.protocol.invites import invite_key
from folkmoot.services.links import Knock

RECENT_SECRETS = 4
"""Of each team: who was away for longer than that many changes is met in another way."""
MAX_INVITES = 16


def keys_to_meet(teams: Sequence[TeamState], me: PersonId, now_ms: int) -> list[Knock]:
    """First the secret in force of every team, then invitations, then older secrets.

    Invitations: those that `me` may let somebody in by, those first that last longest.
    """
    ages = [
        [Knock(state.secrets[-age], state.id) for state in teams if len(state.secrets) >= age]
        for age in range(1, RECENT_SECRETS + 1)
    ]
    by_team = [
        [Knock(invite_key(invite.public_key), state.id, invite.id) for invite in usable]
        for state in teams
        if state.may(me, Act.ADMIT)
        for usable in [_usable(state, now_ms)]
    ]
    turns = chain.from_iterable(zip_longest(*by_team))
    invites = [knock for knock in turns if knock is not None][:MAX_INVITES]
    return [*ages[0], *invites, *chain.from_iterable(ages[1:])]


def _usable(state: TeamState, now_ms: int) -> list[InviteState]:
    usable = [
        invite
        for invite in state.invites.values()
        if not invite.is_used_up and (not invite.expires_ms or invite.expires_ms > now_ms)
    ]
    return sorted(usable, key=lambda invite: -(invite.expires_ms or MAX_INTEGER))
