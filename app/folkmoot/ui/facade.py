"""The part of the node that the window calls, as types. `folkmoot.services.node` is the real one.

Holds no code: the window knows no service, and the type checker holds the real node to this shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from folkmoot.domain.ids import ConversationId, EntryId, PersonId
from folkmoot.services.events import NoticeChanged
from folkmoot.services.values import (
    Conversation,
    Draft,
    Identity,
    Invite,
    JoinOutcome,
    JoinRequest,
    Member,
    Message,
    NearbyTeam,
    Page,
    Presence,
    Role,
    Team,
)


class IdentityCalls(Protocol):
    """Who this node is."""

    def me(self) -> Identity: ...
    async def rename(self, name: str, device_name: str | None = None) -> Identity: ...


class TeamCalls(Protocol):
    """Teams, members, invitations."""

    async def create(self, name: str, visible: bool = True) -> Team: ...
    def list(self) -> Sequence[Team]: ...
    async def rename(self, team: ConversationId, name: str) -> Team: ...
    async def set_visible(self, team: ConversationId, on: bool) -> Team: ...
    def members(self, team: ConversationId) -> Sequence[Member]: ...
    async def invite(
        self,
        team: ConversationId,
        role: Role = Role.MEMBER,
        expires_s: int | None = None,
        uses: int | None = None,
    ) -> Invite: ...
    async def invites(self, team: ConversationId) -> Sequence[Invite]: ...


class JoiningCalls(Protocol):
    """Coming into a team, and letting others in."""

    async def join(self, link: str) -> JoinOutcome: ...
    async def ask(self, team: ConversationId, note: str = "") -> object: ...
    async def cancel(self, team: ConversationId) -> object: ...
    def requests(self) -> Sequence[JoinRequest]: ...
    async def admit(self, team: ConversationId, person: PersonId) -> object: ...
    async def decline(
        self, team: ConversationId, person: PersonId, block: bool = False
    ) -> object: ...


class NearbyCalls(Protocol):
    """Teams on this network, asked for only while somebody looks."""

    def start(self) -> object: ...
    def stop(self) -> object: ...
    def teams(self) -> Sequence[NearbyTeam]: ...


class ConversationCalls(Protocol):
    """Channels and direct conversations."""

    async def list(self) -> Sequence[Conversation]: ...
    async def create_channel(
        self, team: ConversationId, name: str, topic: str = ""
    ) -> Conversation: ...
    async def rename(self, conversation: ConversationId, name: str) -> Conversation: ...
    async def set_topic(self, conversation: ConversationId, topic: str) -> Conversation: ...
    async def open_direct(
        self, team: ConversationId | None, persons: Sequence[PersonId]
    ) -> Conversation: ...
    async def mark_read(
        self, conversation: ConversationId, arrival: int, thread: EntryId | None = None
    ) -> object: ...


class MessageCalls(Protocol):
    """Writing and reading."""

    async def post(
        self,
        conversation: ConversationId,
        text: str,
        thread: EntryId | None = None,
        reply_to: EntryId | None = None,
        also_in_channel: bool = False,
        client_id: str = "",
    ) -> Message: ...
    async def edit(self, message: EntryId, text: str) -> Message: ...
    async def delete(self, message: EntryId) -> Message: ...
    async def react(self, message: EntryId, emoji: str, on: bool) -> Message: ...
    async def get(self, message: EntryId) -> Message: ...
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
    ) -> Page: ...
    async def first_unread(self, conversation: ConversationId) -> Message | None: ...


class DraftCalls(Protocol):
    """Unsent text."""

    async def save(self, draft: Draft) -> object: ...
    async def all(self) -> Sequence[Draft]: ...


class PresenceCalls(Protocol):
    """Who is there and who types."""

    def list(self) -> Sequence[Presence]: ...
    def typing(self, conversation: ConversationId, thread: EntryId | None, on: bool) -> object: ...


class SettingCalls(Protocol):
    """Local settings."""

    async def get(self, key: str) -> str | None: ...
    async def set(self, key: str, value: str | None) -> object: ...


class Node(Protocol):
    """The node as the window sees it."""

    @property
    def identity(self) -> IdentityCalls: ...
    @property
    def teams(self) -> TeamCalls: ...
    @property
    def joining(self) -> JoiningCalls: ...
    @property
    def nearby(self) -> NearbyCalls: ...
    @property
    def conversations(self) -> ConversationCalls: ...
    @property
    def messages(self) -> MessageCalls: ...
    @property
    def drafts(self) -> DraftCalls: ...
    @property
    def presence(self) -> PresenceCalls: ...
    @property
    def settings(self) -> SettingCalls: ...
    def notices(self) -> Sequence[NoticeChanged]: ...
