"""Who may know of a call and who may control it, asked of the teams as they are now."""

from __future__ import annotations

from folkmoot.domain.bodies import Level
from folkmoot.domain.ids import ConversationId, PersonId
from folkmoot.services.registry import TeamRegistry


class CallRights:
    """`protocol.calls.room.Rights` by the registry of teams."""

    def __init__(self, registry: TeamRegistry) -> None:
        self._registry = registry

    def may_see(self, conversation: ConversationId, person: PersonId) -> bool:
        """Whether the person may know of calls there; nobody calls in a team's own log."""
        state = self._registry.team_of(conversation)
        if state is not None and state.id == conversation:
            return False
        return self._registry.may_see(conversation, person)

    def persons_of(self, conversation: ConversationId) -> frozenset[PersonId]:
        """Everybody who may see the conversation."""
        return self._registry.persons_of(conversation)

    def is_admin(self, conversation: ConversationId, person: PersonId) -> bool:
        """Whether the person is an admin or owner of the team there; nobody is in a direct one."""
        state = self._registry.team_of(conversation)
        role = None if state is None else state.role_of(person)
        return role is not None and role >= Level.ADMIN

    def is_pair(self, conversation: ConversationId) -> bool:
        """Whether it is a direct conversation of two persons."""
        direct = self._registry.team_of(conversation) is None
        return direct and len(self._registry.persons_of(conversation)) == 2
