"""Writing, changing and reading messages.

Refuses empty and oversized texts, targets in another conversation, and acts without the right, each
in words; what a peer sends is judged by `domain.serve` and the store instead.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from folkmoot.domain.bodies import NO_ENTRY, Body, Delete, Edit, MessageBody, React
from folkmoot.domain.errors import UserError
from folkmoot.domain.fold import TeamState
from folkmoot.domain.ids import ConversationId, EntryId, PersonId
from folkmoot.domain.names import clean_emoji, clean_text
from folkmoot.domain.serve import grant_to_delete, grant_to_post
from folkmoot.services.mentions import find_mentions
from folkmoot.services.own_log import OwnLog, Right, Written
from folkmoot.services.ports import Store
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.values import Delivery, Message, Page, Revision, Sealed, Thread

MAX_PAGE = 200
MAX_CLIENT_ID_CHARACTERS = 128
MAX_WAITING_SHOWN = 20
"""So many messages of a page say where they wait."""


class Mail(Protocol):
    """What waits at servers (`services.mail`)."""

    @property
    def keeps_any(self) -> bool:
        """Whether anything waits, or did a moment ago."""
        ...

    async def waits(self, message: EntryId) -> Sealed | None:
        """Where a message waits for anybody, the place where it does so the shortest."""
        ...

    async def with_sealed(self, message: EntryId, delivery: Delivery) -> Delivery:
        """`delivery` with where it waits for whom."""
        ...


class MessagesService:
    """What a person does with messages."""

    def __init__(self, me: PersonId, store: Store, registry: TeamRegistry, own_log: OwnLog) -> None:
        self._me = me
        self._store = store
        self._registry = registry
        self._own_log = own_log
        self._mail: Mail | None = None

    def attach_mail(self, mail: Mail) -> None:
        """Who knows what waits at servers."""
        self._mail = mail

    async def post(
        self,
        conversation: ConversationId,
        text: str,
        thread: EntryId | None = None,
        reply_to: EntryId | None = None,
        also_in_channel: bool = False,
        client_id: str = "",
    ) -> Message:
        """Write a message; it is durable here when this returns.

        The same `client_id` again gives the message that was posted with it. `thread` is any
        message of the thread. Raises `UserError` ``not_found``, ``bad_text``, ``forbidden``.
        """
        if len(client_id) > MAX_CLIENT_ID_CHARACTERS:
            raise UserError("bad_text", "The client_id is too long.", "Use at most 128 characters.")
        text = clean_text(text)
        self._check_may_post(conversation)
        root = await self._root(conversation, thread)
        if reply_to is not None:
            await self._target_in(conversation, reply_to, "The message that is answered")
        body = MessageBody(
            text=text,
            thread=root or NO_ENTRY,
            reply=reply_to or NO_ENTRY,
            also_in_channel=also_in_channel and root is not None,
            mentions=find_mentions(text, self._names(conversation)),
        )
        posted: list[Message] = []

        async def unless_posted() -> tuple[Body, ...]:
            known = await self._store.message_by_client_id(client_id) if client_id else None
            if known is None:
                return (body,)
            posted.append(known)
            return ()

        written = await self._own_log.amend(
            conversation, unless_posted, right=_to_post(conversation), client_id=client_id
        )
        return posted[0] if posted else await self._as_it_reads(written.entries[0].id, written)

    async def edit(self, message: EntryId, text: str) -> Message:
        """Change the text of an own message. The same text changes nothing."""
        old = await self.get(message)
        text = clean_text(text)
        if old.author != self._me:
            raise UserError("forbidden", "Only the author can edit a message.")
        if old.call is not None:
            raise UserError("forbidden", "A call cannot be edited.")
        self._check_not_deleted(old)
        self._check_may_post(old.conversation)

        async def unless_same() -> tuple[Body, ...]:
            if (await self.get(message)).text == text:
                return ()
            heads = await self._store.edit_heads(message)
            return (Edit(message, text, replaces=tuple(heads)),)

        written = await self._own_log.amend(
            old.conversation, unless_same, right=_to_post(old.conversation)
        )
        return await self._as_it_reads(message, written)

    async def delete(self, message: EntryId) -> Message:
        """Delete a message for everybody: its author may, and in a channel an admin."""
        old = await self.get(message)
        state = self._registry.team_of(old.conversation)

        def right(state: TeamState, person: PersonId) -> EntryId | None:
            return grant_to_delete(state, person, old.conversation, old.author)

        if state is None and old.author != self._me:
            raise UserError("forbidden", "Only the author can delete this message.")
        if state is not None and right(state, self._me) is None:
            raise UserError("forbidden", "Only the author or an admin can delete a message.")

        async def unless_deleted() -> tuple[Body, ...]:
            return () if (await self.get(message)).deleted else (Delete(message),)

        written = await self._own_log.amend(old.conversation, unless_deleted, right=right)
        return await self._as_it_reads(message, written)

    async def react(self, message: EntryId, emoji: str, on: bool) -> Message:
        """Put a reaction under a message or take it back; what is so already stays."""
        old = await self.get(message)
        emoji = clean_emoji(emoji)
        self._check_not_deleted(old)
        self._check_may_post(old.conversation)

        async def unless_so() -> tuple[Body, ...]:
            reactions = (await self.get(message)).reactions
            if on == any(one.emoji == emoji and one.mine for one in reactions):
                return ()
            heads = await self._store.react_heads(message, self._me, emoji)
            return (React(message, emoji, on, tuple(heads)),)

        written = await self._own_log.amend(
            old.conversation, unless_so, right=_to_post(old.conversation)
        )
        return await self._as_it_reads(message, written)

    async def get(self, message: EntryId) -> Message:
        """One message as it reads now."""
        found = await self._store.message(message)
        if found is None:
            raise UserError("not_found", "There is no such message.")
        return found

    async def page(
        self,
        conversation: ConversationId,
        *,
        thread: EntryId | None = None,
        before: EntryId | None = None,
        after: EntryId | None = None,
        around: EntryId | None = None,
        ordinal: int | None = None,
        limit: int = 64,
    ) -> Page:
        """Consecutive messages, as `Store.page`; `limit` is at most 200."""
        self._check_known(conversation)
        for place in (thread, before, after, around):
            if place is not None:
                await self._target_in(conversation, place, "The message")
        page = await self._store.page(
            conversation,
            thread=thread,
            before=before,
            after=after,
            around=around,
            ordinal=ordinal,
            limit=max(1, min(limit, MAX_PAGE)),
        )
        return replace(page, messages=await self._with_waiting(page.messages))

    async def _with_waiting(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The newest of these that nobody else holds say where they wait for somebody."""
        lonely = [m.id for m in messages if m.mine and m.stored_on <= 1 < m.stored_of]
        if self._mail is None or not self._mail.keeps_any or not lonely:
            return messages
        waits = {id: await self._mail.waits(id) for id in lonely[-MAX_WAITING_SHOWN:]}
        return tuple(replace(message, sealed=waits.get(message.id)) for message in messages)

    async def revisions(self, message: EntryId) -> list[Revision]:
        """Texts that a message had, oldest first."""
        await self.get(message)
        return await self._store.revisions(message)

    async def delivery(self, message: EntryId) -> Delivery:
        """Which computers hold a message durably, which are not known to, and for which of those
        it waits at a server."""
        await self.get(message)
        delivery = await self._store.delivery(message)
        return await self._mail.with_sealed(message, delivery) if self._mail else delivery

    async def threads(self, conversation: ConversationId, limit: int = 50) -> list[Thread]:
        """Threads of a conversation, the one with the latest reply first."""
        self._check_known(conversation)
        return await self._store.threads(conversation, max(1, min(limit, MAX_PAGE)))

    async def first_unread(self, conversation: ConversationId) -> Message | None:
        """The unread message that stands first."""
        self._check_known(conversation)
        return await self._store.first_unread(conversation)

    async def _as_it_reads(self, message: EntryId, written: Written) -> Message:
        for told in written.changes.created:
            if told.id == message:
                return told
        for told, _what in written.changes.changed:
            if told.id == message:
                return told
        return await self.get(message)

    async def _root(self, conversation: ConversationId, thread: EntryId | None) -> EntryId | None:
        """The first message of the thread that `thread` belongs to."""
        if thread is None:
            return None
        target = await self._target_in(conversation, thread, "The thread")
        return target.thread or target.id

    async def _target_in(
        self, conversation: ConversationId, message: EntryId, what: str
    ) -> Message:
        found = await self._store.message(message)
        if found is None or found.conversation != conversation:
            raise UserError("not_found", f"{what} is not in this conversation.")
        return found

    def _names(self, conversation: ConversationId) -> dict[str, PersonId]:
        state = self._registry.team_of(conversation)
        persons = self._registry.persons_of(conversation)
        return {self._registry.name_of(person, state): person for person in sorted(persons)}

    def _check_known(self, conversation: ConversationId) -> None:
        if not self._registry.may_see(conversation, self._me):
            raise UserError("not_found", "There is no such conversation.")

    def _check_may_post(self, conversation: ConversationId) -> None:
        self._check_known(conversation)
        if not self._registry.may_post(conversation, self._me):
            raise UserError(
                "forbidden", "You may read here, but not write.", "Ask an admin of the team."
            )

    def _check_not_deleted(self, message: Message) -> None:
        if message.deleted:
            raise UserError("forbidden", "This message was deleted.")


def _to_post(conversation: ConversationId) -> Right:
    return lambda state, person: grant_to_post(state, person, conversation)
