"""Who is in which team and conversation right now: the answers that every service needs at once.

Owns the current state of each team and the persons of each direct conversation, taken from what the
store committed. Refuses to hold messages, and to be asked about a conversation that it does not
know: such a conversation has nobody in it.
"""

from __future__ import annotations

from folkmoot.domain.fold import TeamState
from folkmoot.domain.ids import ConversationId, DeviceId, PersonId
from folkmoot.domain.serve import grant_to_post, may_see, may_see_direct
from folkmoot.services.ports import Appended, Store
from folkmoot.services.values import ConversationKind, Member, Role, Team

NAMELESS = "Somebody"
"""Shown for a person whose name has not arrived yet."""


class TeamRegistry:
    """The state of all teams as of the last commit. Changed only by `load` and `update`."""

    def __init__(self, me: PersonId) -> None:
        self._me = me
        self._teams: dict[ConversationId, TeamState] = {}
        self._team_of: dict[ConversationId, ConversationId] = {}
        self._directs: dict[ConversationId, tuple[PersonId, ...]] = {}

    async def load(self, store: Store) -> None:
        """Take everything from the store; called once, before links come up."""
        for state in (await store.team_states()).values():
            self._take(state)
        self._directs.update(await store.direct_persons())

    def update(self, appended: Appended) -> None:
        """Take what a commit changed; what a later commit told already stays."""
        for state in appended.teams.values():
            self._take(state)
        for conversation in appended.conversations:
            if conversation.kind is ConversationKind.DIRECT:
                self._directs[conversation.id] = conversation.participants

    def _take(self, state: TeamState) -> None:
        held = self._teams.get(state.id)
        if held is not None and held.entries > state.entries:
            return  # two commits were told in one turn, the newer one first
        self._teams[state.id] = state
        self._team_of[state.id] = state.id
        for channel in state.channels:
            self._team_of[channel] = state.id

    # Teams
    def team(self, id: ConversationId) -> TeamState | None:
        """The state of a team, whether or not this person is in it."""
        return self._teams.get(id)

    def teams(self) -> list[TeamState]:
        """Every team held in which this person has a role, by name."""
        mine = [state for state in self._teams.values() if state.role_of(self._me) is not None]
        return sorted(mine, key=lambda state: (state.name.casefold(), state.id))

    def team_of(self, conversation: ConversationId) -> TeamState | None:
        """The team of a channel, or the team itself; None for a direct conversation."""
        team = self._team_of.get(conversation)
        return None if team is None else self._teams[team]

    def shown(self, id: ConversationId) -> Team | None:
        """A team as the window shows it; None if this person is not in it."""
        state = self._teams.get(id)
        role = None if state is None else state.role_of(self._me)
        if state is None or role is None:
            return None
        return Team(state.id, state.name, Role[role.name], len(state.members), state.visible)

    def members(self, state: TeamState) -> list[Member]:
        """The members of a team by name, with the devices known of each."""
        devices: dict[PersonId, list[DeviceId]] = {}
        for device, person in state.devices.items():
            devices.setdefault(person, []).append(device)
        listed = [
            Member(
                person,
                member.name or NAMELESS,
                Role[member.role.name],
                tuple(sorted(devices.get(person, ()))),
                person == self._me,
            )
            for person, member in state.members.items()
        ]
        return sorted(listed, key=lambda member: (member.name.casefold(), member.person))

    # Persons and devices
    def name_of(self, person: PersonId, team: TeamState | None = None) -> str:
        """The name a person gave themself, in `team` if it is given and knows one."""
        known = [team] if team is not None else []
        for state in (*known, *self._teams.values()):
            member = state.members.get(person)
            if member is not None and member.name:
                return member.name
        return NAMELESS

    def persons_of(self, conversation: ConversationId) -> frozenset[PersonId]:
        """Everybody who may read a conversation."""
        state = self.team_of(conversation)
        if state is not None:
            return frozenset(p for p in state.members if may_see(state, p, conversation))
        return frozenset(self._directs.get(conversation, ()))

    def devices_of(self, conversation: ConversationId) -> frozenset[DeviceId]:
        """Every certified device of those who may read a conversation."""
        persons = self.persons_of(conversation)
        state = self.team_of(conversation)
        return frozenset(
            device
            for team in (self._teams.values() if state is None else (state,))
            for device, person in team.devices.items()
            if person in persons
        )

    def person_of(self, device: DeviceId) -> PersonId | None:
        """Whose device it is, if any team knows it."""
        for state in self._teams.values():
            person = state.devices.get(device)
            if person is not None:
                return person
        return None

    def known_persons(self) -> frozenset[PersonId]:
        """Everybody with whom this person shares a team."""
        return frozenset(person for state in self.teams() for person in state.members)

    def directs(self) -> dict[ConversationId, tuple[PersonId, ...]]:
        """The persons of every direct conversation held."""
        return dict(self._directs)

    def may_see(self, conversation: ConversationId, person: PersonId) -> bool:
        """Whether entries of a conversation may be shown to a person. Asked at each send."""
        state = self.team_of(conversation)
        if state is not None:
            return may_see(state, person, conversation)
        return may_see_direct(self._directs.get(conversation, ()), person)

    def may_post(self, conversation: ConversationId, person: PersonId) -> bool:
        """Whether a person may write messages there."""
        state = self.team_of(conversation)
        if state is None:
            return self.may_see(conversation, person)
        return grant_to_post(state, person, conversation) is not None

    def shared_with(self, person: PersonId) -> list[ConversationId]:
        """Every conversation whose entries may be shown to a person, sorted."""
        teams = [id for id, team in self._team_of.items() if may_see(self._teams[team], person, id)]
        directs = [id for id, persons in self._directs.items() if person in persons]
        return sorted([*teams, *directs])
