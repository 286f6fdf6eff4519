"""Channels and direct conversations: making, naming, reading marks.

Refuses names that are taken in the team, and direct conversations with people who share no team
with this person.
"""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot.domain.bodies import Body, Channel, Set
from folkmoot.domain.direct import MAX_DIRECT_PERSONS, direct_id, direct_persons
from folkmoot.domain.errors import UserError
from folkmoot.domain.fold import KEY_NAME, KEY_TOPIC, TeamState
from folkmoot.domain.ids import ConversationId, EntryId, PersonId
from folkmoot.domain.names import clean_channel_name, clean_topic
from folkmoot.domain.serve import grant_to_set
from folkmoot.domain.team import Act
from folkmoot.services.events import ConversationChanged, EventBus
from folkmoot.services.own_log import OwnLog, by
from folkmoot.services.ports import Store
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.values import Conversation, ConversationKind


class ConversationsService:
    """What a person does with conversations."""

    def __init__(
        self,
        me: PersonId,
        store: Store,
        events: EventBus,
        registry: TeamRegistry,
        own_log: OwnLog,
    ) -> None:
        self._me = me
        self._store = store
        self._events = events
        self._registry = registry
        self._own_log = own_log

    async def list(self) -> list[Conversation]:
        """Every channel and direct conversation that this person may see."""
        return [
            one
            for one in await self._store.conversations()
            if self._registry.may_see(one.id, self._me)
        ]

    async def get(self, conversation: ConversationId) -> Conversation:
        """One conversation; raises `UserError` ``not_found``."""
        found = await self._store.conversation(conversation)
        if found is None or not self._registry.may_see(conversation, self._me):
            raise UserError("not_found", "There is no such conversation.")
        return found

    async def create_channel(
        self, team: ConversationId, name: str, topic: str = ""
    ) -> Conversation:
        """Make a public channel. Raises ``bad_text``, ``name_taken``, ``forbidden``."""
        state = self._registry.team(team)
        if state is None or state.role_of(self._me) is None:
            raise UserError("not_found", "There is no such team.")
        name, topic = clean_channel_name(name), clean_topic(topic)
        if not state.may(self._me, Act.MAKE_CHANNEL):
            raise UserError("forbidden", "Guests cannot make channels.", "Ask a member.")

        async def unless_taken() -> tuple[Body, ...]:
            await self._check_free(team, name)
            return (Channel(name),)

        written = await self._own_log.amend(team, unless_taken, right=by(Act.MAKE_CHANNEL))
        channel = ConversationId(written.entries[0].id)
        if topic:
            await self._set(channel, KEY_TOPIC, topic)
        return await self.get(channel)

    async def rename(self, conversation: ConversationId, name: str) -> Conversation:
        """Give a channel another name: who made it may, and an admin."""
        old = await self.get(conversation)
        state = self._registry.team_of(conversation)
        if old.kind is not ConversationKind.CHANNEL or old.team is None or state is None:
            raise UserError("forbidden", "A direct conversation is named after its people.")
        name = clean_channel_name(name)
        if grant_to_set(state, self._me, conversation, KEY_NAME) is None:
            raise UserError(
                "forbidden", "Only who made a channel or an admin can rename it.", "Ask them."
            )
        if name == old.name:
            return old
        await self._check_free(old.team, name)
        await self._set(conversation, KEY_NAME, name)
        return await self.get(conversation)

    async def set_topic(self, conversation: ConversationId, topic: str) -> Conversation:
        """Say what a conversation is about; an empty topic takes it away."""
        old = await self.get(conversation)
        topic = clean_topic(topic)
        if not self._registry.may_post(conversation, self._me):
            raise UserError("forbidden", "Who may not write here cannot set the topic.")
        if topic == old.topic:
            return old
        await self._set(conversation, KEY_TOPIC, topic)
        return await self.get(conversation)

    async def open_direct(
        self, team: ConversationId | None, persons: Sequence[PersonId]
    ) -> Conversation:
        """The direct conversation of exactly `persons` and this person, begun if there is none.

        `team` says where the caller looks and may be None. Raises `UserError` ``not_found`` for
        somebody who shares no team with this person, ``bad_participants`` for nobody or too many.
        """
        everybody = direct_persons([*persons, self._me])
        if len(everybody) < 2 or len(everybody) > MAX_DIRECT_PERSONS:
            raise UserError(
                "bad_participants",
                "A direct conversation is between this person and 1 to "
                f"{MAX_DIRECT_PERSONS - 1} others.",
                "Choose whom to write to.",
            )
        known = self._registry.known_persons()
        if team is not None:
            state = self._registry.team(team)
            known = frozenset() if state is None else frozenset(state.members)
        if not set(everybody) <= known:
            raise UserError("not_found", "One of these people is in no team of yours.")
        conversation = direct_id(everybody)
        if await self._store.conversation(conversation) is None:
            await self._own_log.begin_direct(conversation, everybody)
        return await self.get(conversation)

    async def mark_read(
        self, conversation: ConversationId, arrival: int, thread: EntryId | None = None
    ) -> Conversation:
        """Everything that arrived here up to `arrival` is read, in the timeline or in a thread."""
        old = await self.get(conversation)
        changed = await self._store.mark_read(conversation, arrival, thread)
        if changed is None:
            return old
        self._events.publish(ConversationChanged(changed))
        return changed

    async def _set(self, conversation: ConversationId, key: str, value: str) -> None:
        def right(state: TeamState, person: PersonId) -> EntryId | None:
            return grant_to_set(state, person, conversation, key)

        async def over_heads() -> tuple[Body, ...]:
            heads = await self._store.set_heads(conversation, self._me, key)
            return (Set(key, value, tuple(heads)),)

        await self._own_log.amend(conversation, over_heads, right=right)

    async def _check_free(self, team: ConversationId, name: str) -> None:
        for one in await self._store.conversations():
            if one.team == team and one.kind is ConversationKind.CHANNEL and one.name == name:
                raise UserError(
                    "name_taken", f"There is a channel #{name} already.", "Choose another name."
                )
