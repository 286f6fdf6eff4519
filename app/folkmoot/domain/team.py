"""The state of a team as others read it: who belongs to it, by which grant, and what they may do.

Made only by `domain.fold`. It refuses to decide by time, by names or by who told it what.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from folkmoot.domain.bodies import Level
from folkmoot.domain.identity import Certificate
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId


class Act(Enum):
    """What a grant may be used for. Posting in a channel depends on the channel: `domain.serve`."""

    INVITE = "invite"
    ADMIT = "admit"
    GRANT = "grant"
    MAKE_CHANNEL = "make_channel"
    MANAGE_TEAM = "manage_team"
    """Name, visibility and secret of the team."""
    MODERATE = "moderate"
    """Delete what others wrote in a channel, and name any channel."""
    SET_PROFILE = "set_profile"


_LOWEST = {
    Act.INVITE: Level.ADMIN,
    Act.ADMIT: Level.MEMBER,
    Act.GRANT: Level.ADMIN,
    Act.MAKE_CHANNEL: Level.MEMBER,
    Act.MANAGE_TEAM: Level.ADMIN,
    Act.MODERATE: Level.ADMIN,
    Act.SET_PROFILE: Level.GUEST,
}


@dataclass(frozen=True, slots=True)
class GrantState:
    """A grant of a team. Only one that is `standing` gives anything.

    `channels`: the only ones a guest sees. `history`: 0 none, `HISTORY_ALL`, or days.
    """

    id: EntryId
    person: PersonId
    role: Level
    depth: int
    standing: bool
    may_invite: bool
    channels: tuple[EntryId, ...]
    history: int

    def may(self, act: Act) -> bool:
        """Whether an entry under this grant has the effect of `act`."""
        if not self.standing:
            return False
        return self.role >= _LOWEST[act] or (act is Act.INVITE and self.may_invite)


@dataclass(frozen=True, slots=True)
class MemberState:
    """A person in the team. `oldest_grant` is the one to write under, where its level suffices."""

    person: PersonId
    role: Level
    oldest_grant: EntryId
    name: str


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A public channel as it was made. Its later name and topic are registers in its own logs."""

    id: ConversationId
    name: str
    posts: Level
    creator: PersonId


@dataclass(frozen=True, slots=True)
class InviteState:
    """An invitation that counts. `used`: how many standing grants came by it."""

    id: EntryId
    public_key: bytes
    role: Level
    may_invite: bool
    channels: tuple[EntryId, ...]
    history: int
    expires_ms: int
    uses: int
    used: int
    inviter: PersonId

    @property
    def is_used_up(self) -> bool:
        """Whether it was used as often as it may be."""
        return bool(self.uses) and self.used >= self.uses


@dataclass(frozen=True, slots=True)
class TeamState:
    """What a team is by the entries held. Every mapping is ordered by its key.

    `name` is empty while the genesis is not held. `grants` has all that can be judged, standing or
    not; one that is not there is unknown. `certificates` are the devices of members known here,
    as far as the log tells; a link proves its device by itself. `secrets` are all the team ever
    had, the one in force last. `entries` is of how many entries this is the state: of two states
    that one computer told the one of more entries is the newer. It is no part of equality.
    """

    id: ConversationId
    name: str = ""
    visible: bool = False
    secrets: tuple[bytes, ...] = ()
    grants: dict[EntryId, GrantState] = field(default_factory=dict)
    members: dict[PersonId, MemberState] = field(default_factory=dict)
    certificates: dict[DeviceId, Certificate] = field(default_factory=dict)
    channels: dict[ConversationId, ChannelState] = field(default_factory=dict)
    invites: dict[EntryId, InviteState] = field(default_factory=dict)
    entries: int = field(default=0, compare=False)

    @property
    def devices(self) -> dict[DeviceId, PersonId]:
        """The known devices of members and whose they are."""
        return {device: held.person for device, held in self.certificates.items()}

    def role_of(self, person: PersonId) -> Level | None:
        """The highest level among the person's standing grants; None for who is not a member."""
        member = self.members.get(person)
        return member.role if member else None

    def standing(self, grant: EntryId) -> bool:
        """Whether the grant is known and stands."""
        held = self.grants.get(grant)
        return held is not None and held.standing

    def grants_of(self, person: PersonId) -> list[GrantState]:
        """The person's standing grants, oldest first: by depth, then id."""
        own = [g for g in self.grants.values() if g.standing and g.person == person]
        return sorted(own, key=lambda grant: (grant.depth, grant.id))

    def grant_for(self, person: PersonId, act: Act) -> EntryId | None:
        """The oldest standing grant under which the person's entry has the effect of `act`."""
        return first_grant(g for g in self.grants_of(person) if g.may(act))

    def may(self, person: PersonId, act: Act) -> bool:
        """Whether the person may do this in the team."""
        return self.grant_for(person, act) is not None

    def may_grant(self, person: PersonId, role: Level) -> bool:
        """Whether the person may give `role` to somebody by a grant (rule 2)."""
        return any(can_grant(g.role, role) for g in self.grants_of(person))


def can_grant(granter: Level, given: Level) -> bool:
    """Rule 2 for grants: owners give any level, admins give member and guest."""
    return granter is Level.OWNER or (granter is Level.ADMIN and given <= Level.MEMBER)


def first_grant(grants: Iterable[GrantState]) -> EntryId | None:
    """The id of the first grant, if there is one."""
    return next((grant.id for grant in grants), None)
