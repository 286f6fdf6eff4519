"""Who may see, post, set, edit and delete in a conversation, and who may be let in.

Two kinds of question: whether an entry under a grant has effect (`grant`), and what a person may
do now and under which grant (`state`, `person`). Checked at each send and at each projection;
nothing is remembered here.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from folkmoot.domain.bodies import Level
from folkmoot.domain.fold import KEY_NAME, KEY_TOPIC
from folkmoot.domain.ids import ZERO, ConversationId, EntryId, LogKey, PersonId
from folkmoot.domain.names import MAX_TOPIC_LENGTH, is_line, is_name
from folkmoot.domain.team import Act, ChannelState, GrantState, TeamState, first_grant


class Verdict(Enum):
    """What to do with a log of a team or of its channels."""

    TAKE = "take"
    WAIT = "wait"
    """Its grant or its channel is not known here yet: bring the team's log up to date first."""
    REFUSE = "refuse"


def judge_log(state: TeamState, log: LogKey, person: PersonId) -> Verdict:
    """Whether to take entries of `log`, whose `open` certifies its device for `person`.

    The log is of the team itself or of a channel. A grant that is known and does not stand never
    will, in this version.
    """
    if log.grant == ZERO:
        return Verdict.REFUSE
    grant = state.grants.get(log.grant)
    if grant is None:
        return Verdict.WAIT
    if not grant.standing or grant.person != person:
        return Verdict.REFUSE
    if log.conversation == state.id:
        return Verdict.TAKE
    if log.conversation not in state.channels:
        return Verdict.WAIT
    return Verdict.TAKE if _sees(grant, log.conversation) else Verdict.REFUSE


def may_see(state: TeamState, person: PersonId, conversation: ConversationId) -> bool:
    """Whether entries of the team or of one of its channels may be shown to the person."""
    if conversation == state.id:
        return person in state.members
    return conversation in state.channels and any(
        _sees(grant, conversation) for grant in state.grants_of(person)
    )


def may_see_direct(persons: Sequence[PersonId], person: PersonId) -> bool:
    """Whether entries of the direct conversation of `persons` may be shown to `person`."""
    return person in persons


def may_post(channel: ChannelState, grant: GrantState) -> bool:
    """Whether a message, edit, reaction or call under `grant` has effect in the channel."""
    return grant.standing and grant.role >= channel.posts and _sees(grant, channel.id)


def may_set(channel: ChannelState, grant: GrantState, key: str) -> bool:
    """Whether a setting of the channel under `grant` has effect; no key but two is known."""
    if key == KEY_TOPIC:
        return may_post(channel, grant)
    if key == KEY_NAME:
        creator = grant.person == channel.creator and _sees(grant, channel.id)
        return grant.may(Act.MODERATE) or (grant.standing and creator)
    return False


def fits_setting(key: str, value: object) -> bool:
    """Whether a channel's name or topic has the shape that its key asks for."""
    if not isinstance(value, str):
        return False
    return is_name(value) if key == KEY_NAME else is_line(value, MAX_TOPIC_LENGTH)


def may_edit(author: PersonId, person: PersonId) -> bool:
    """Whether `person` may change what `author` wrote."""
    return author == person


def may_delete(author: PersonId, person: PersonId, grant: GrantState | None) -> bool:
    """Whether `person` may delete what `author` wrote; `grant` None: a direct conversation."""
    return author == person or (grant is not None and grant.may(Act.MODERATE))


def grant_to_post(state: TeamState, person: PersonId, channel: ConversationId) -> EntryId | None:
    """The oldest grant under which the person may post in the channel."""
    held = state.channels.get(channel)
    if held is None:
        return None
    return first_grant(g for g in state.grants_of(person) if may_post(held, g))


def grant_to_set(
    state: TeamState, person: PersonId, channel: ConversationId, key: str
) -> EntryId | None:
    """The oldest grant under which the person may set `key` of the channel."""
    held = state.channels.get(channel)
    if held is None:
        return None
    return first_grant(g for g in state.grants_of(person) if may_set(held, g, key))


def grant_to_delete(
    state: TeamState, person: PersonId, channel: ConversationId, author: PersonId
) -> EntryId | None:
    """The oldest grant under which the person may delete what `author` wrote in the channel."""
    return first_grant(
        g for g in state.grants_of(person) if _sees(g, channel) and may_delete(author, person, g)
    )


def judge_invite(state: TeamState, invite: EntryId, person: PersonId, clock_ms: int) -> str:
    """What a `joined` frame answers: ``ok``, ``unknown_invitation``, ``expired``, ``used_up``,
    ``already``.

    Only the admitting node asks this, with its own clock; its admission is the fact for all.
    """
    held = state.invites.get(invite)
    if person in state.members:
        return "already"
    if held is None:
        return "unknown_invitation"
    if held.expires_ms and clock_ms >= held.expires_ms:
        return "expired"
    if held.is_used_up:
        return "used_up"
    return "ok"


def _sees(grant: GrantState, conversation: ConversationId) -> bool:
    return grant.standing and (
        grant.role >= Level.MEMBER or EntryId(conversation) in grant.channels
    )
