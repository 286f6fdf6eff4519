"""A node in memory with the shape of the facade: enough of its behaviour to work the window.

It runs on a loop in a thread of its own, as the real one does; nothing is signed or stored.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import hashlib
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId
from folkmoot.services import events as told
from folkmoot.services.values import (
    Conversation,
    ConversationKind,
    Draft,
    Identity,
    Invite,
    JoinOutcome,
    JoinRequest,
    Member,
    Message,
    NearbyTeam,
    OrderKey,
    Page,
    PersonName,
    Presence,
    PresenceState,
    Reaction,
    Role,
    Team,
)

T = TypeVar("T")


def key(word: str) -> bytes:
    """32 bytes that stand for `word`."""
    return hashlib.sha256(word.encode()).digest()


class FakeNode:
    """Everything in one object; each group of calls of the facade is the object itself."""

    def __init__(self, name: str = "Elin Aas") -> None:
        self.bus = told.EventBus()
        self.person = PersonId(key(name))
        self.my = Identity(
            self.person, DeviceId(key("device")), name, "elin-laptop", ("a", "b", "c", "d"), "0.1"
        )
        self.team_map: dict[ConversationId, Team] = {}
        self.member_map: dict[ConversationId, list[Member]] = {}
        self.conversation_map: dict[ConversationId, Conversation] = {}
        self.message_map: dict[ConversationId, list[Message]] = {}
        self.draft_map: dict[tuple[ConversationId, EntryId | None], str] = {}
        self.setting_map: dict[str, str] = {}
        self.presence_map: dict[PersonId, Presence] = {}
        self.nearby_list: list[NearbyTeam] = []
        self.request_list: list[JoinRequest] = []
        self.notice_list: list[told.NoticeChanged] = []
        self.read: dict[ConversationId, int] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.fail: Exception | None = None
        self.arrival = 0

    # the groups of the facade
    @property
    def identity(self) -> _Identity:
        return _Identity(self)

    @property
    def teams(self) -> _Teams:
        return _Teams(self)

    @property
    def joining(self) -> _Joining:
        return _Joining(self)

    @property
    def nearby(self) -> _Nearby:
        return _Nearby(self)

    @property
    def conversations(self) -> _Conversations:
        return _Conversations(self)

    @property
    def messages(self) -> _Messages:
        return _Messages(self)

    @property
    def drafts(self) -> _Drafts:
        return _Drafts(self)

    @property
    def presence(self) -> _Presence:
        return _Presence(self)

    @property
    def settings(self) -> _Settings:
        return _Settings(self)

    def notices(self) -> list[told.NoticeChanged]:
        return self.notice_list

    def check(self) -> None:
        """Raise what the test wants to see."""
        if self.fail is not None:
            raise self.fail

    def add_member(self, team: ConversationId, name: str, state: PresenceState) -> PersonId:
        """Somebody else is in the team."""
        person = PersonId(key(name))
        self.member_map[team].append(Member(person, name, Role.MEMBER, (), False))
        self.presence_map[person] = Presence(person, state, "", None, 1)
        team_value = self.team_map[team]
        self.team_map[team] = replace(team_value, members=len(self.member_map[team]))
        return person

    def write(
        self,
        conversation: ConversationId,
        text: str,
        author: str | None = None,
        *,
        at_ms: int | None = None,
        thread: EntryId | None = None,
        reply_to: EntryId | None = None,
        also: bool = False,
        quiet: bool = False,
    ) -> Message:
        """Add a message, ours or somebody's, and tell."""
        self.arrival += 1
        at = at_ms if at_ms is not None else time.time_ns() // 1_000_000
        id_ = EntryId(key(f"{conversation.hex()}{self.arrival}"))
        mine = author is None
        name = author or self.my.name
        message = Message(
            id=id_,
            conversation=conversation,
            author=PersonId(key(name)),
            author_name=name,
            device=self.my.device,
            text=text,
            thread=thread,
            reply_to=reply_to,
            also_in_channel=also,
            sent_at_ms=at,
            arrived_at_ms=at,
            arrival=self.arrival,
            order=OrderKey(at, self.arrival, id_),
            mine=mine,
            edited=False,
            deleted=False,
            body_missing=False,
            late=False,
            clock_wrong=False,
            reactions=(),
            reply_count=0,
            last_reply_ms=0,
            repliers=(),
            stored_on=1,
            stored_of=1,
        )
        self.message_map.setdefault(conversation, []).append(message)
        root = None
        if thread is not None:
            before = self.find(thread)
            root = self.put(
                replace(
                    before,
                    reply_count=before.reply_count + 1,
                    last_reply_ms=at,
                    repliers=(PersonName(message.author, name), *before.repliers)[:3],
                )
            )
        if not mine:
            known = self.conversation_map[conversation]
            self.conversation_map[conversation] = replace(known, unread=known.unread + 1)
        if not quiet:
            self.bus.publish(told.MessageCreated(message, root))
            self.bus.publish(told.ConversationChanged(self.conversation_map[conversation]))
        return message

    def find(self, id_: EntryId) -> Message:
        for messages in self.message_map.values():
            for message in messages:
                if message.id == id_:
                    return message
        raise UserError("not_found", "There is no such message.")

    def put(self, message: Message) -> Message:
        """Replace a message with how it reads now."""
        kept = self.message_map[message.conversation]
        kept[[m.id for m in kept].index(message.id)] = message
        return message

    def change(self, message: Message, what: str) -> Message:
        self.put(message)
        self.bus.publish(told.MessageChanged(message, what))
        return message


class _Part:
    def __init__(self, node: FakeNode) -> None:
        self.n = node


class _Identity(_Part):
    def me(self) -> Identity:
        return self.n.my

    async def rename(self, name: str, device_name: str | None = None) -> Identity:
        self.n.check()
        self.n.my = replace(self.n.my, name=name, device_name=device_name or self.n.my.device_name)
        return self.n.my


class _Teams(_Part):
    async def create(self, name: str, visible: bool = True) -> Team:
        n = self.n
        n.check()
        team = Team(ConversationId(key(f"team {name}")), name, Role.OWNER, 1, visible)
        n.team_map[team.id] = team
        n.member_map[team.id] = [Member(n.person, n.my.name, Role.OWNER, (), True)]
        general = await n.conversations.create_channel(team.id, "general")
        n.bus.publish(told.TeamChanged(team))
        n.bus.publish(told.ConversationChanged(general))
        return team

    def list(self) -> Sequence[Team]:
        return list(self.n.team_map.values())

    async def rename(self, team: ConversationId, name: str) -> Team:
        self.n.team_map[team] = replace(self.n.team_map[team], name=name)
        return self.n.team_map[team]

    async def set_visible(self, team: ConversationId, on: bool) -> Team:
        self.n.team_map[team] = replace(self.n.team_map[team], visible=on)
        return self.n.team_map[team]

    def members(self, team: ConversationId) -> Sequence[Member]:
        return self.n.member_map[team]

    async def invite(
        self,
        team: ConversationId,
        role: Role = Role.MEMBER,
        expires_s: int | None = None,
        uses: int | None = None,
    ) -> Invite:
        self.n.check()
        return Invite(
            EntryId(key("invite")), team, "folkmoot://join/" + "A" * 180, role, None, uses
        )

    async def invites(self, team: ConversationId) -> Sequence[Invite]:
        return [await self.invite(team)]


class _Joining(_Part):
    async def join(self, link: str) -> JoinOutcome:
        self.n.calls.append(("join", link))
        self.n.check()
        return JoinOutcome(ConversationId(key("joined")), "Harbour Studio", "pending")

    async def ask(self, team: ConversationId, note: str = "") -> object:
        self.n.check()
        self.n.nearby_list = [
            replace(t, asked=True, words=("amber", "canoe", "drift", "fabric"))
            if t.id == team
            else t
            for t in self.n.nearby_list
        ]
        self.n.bus.publish(told.NearbyChanged(tuple(self.n.nearby_list)))
        return None

    async def cancel(self, team: ConversationId) -> object:
        self.n.nearby_list = [replace(t, asked=False, words=()) for t in self.n.nearby_list]
        self.n.bus.publish(told.NearbyChanged(tuple(self.n.nearby_list)))
        return None

    def requests(self) -> Sequence[JoinRequest]:
        return self.n.request_list

    async def admit(self, team: ConversationId, person: PersonId) -> object:
        return self._answer("admit", team, person)

    async def decline(self, team: ConversationId, person: PersonId, block: bool = False) -> object:
        return self._answer("decline", team, person, block)

    def _answer(self, *call: Any) -> object:
        self.n.check()
        self.n.calls.append(call)
        self.n.request_list = [r for r in self.n.request_list if r.person != call[2]]
        self.n.bus.publish(told.JoinRequestsChanged(tuple(self.n.request_list)))
        return None


class _Nearby(_Part):
    async def start(self) -> object:
        self.n.calls.append(("nearby", True))
        return None

    async def stop(self) -> object:
        self.n.calls.append(("nearby", False))
        return None

    def teams(self) -> Sequence[NearbyTeam]:
        return self.n.nearby_list


class _Conversations(_Part):
    async def list(self) -> Sequence[Conversation]:
        return list(self.n.conversation_map.values())

    async def create_channel(
        self, team: ConversationId, name: str, topic: str = ""
    ) -> Conversation:
        self.n.check()
        if any(c.name == name and c.team == team for c in self.n.conversation_map.values()):
            raise UserError("bad_text", f"There is a channel “{name}” already.")
        return self._keep(
            Conversation(
                ConversationId(key(team.hex() + name)),
                ConversationKind.CHANNEL,
                name,
                topic,
                team,
                (),
                0,
                0,
                0,
                0,
            )
        )

    def _keep(self, conversation: Conversation) -> Conversation:
        self.n.conversation_map[conversation.id] = conversation
        self.n.bus.publish(told.ConversationChanged(conversation))
        return conversation

    async def rename(self, conversation: ConversationId, name: str) -> Conversation:
        return self._keep(replace(self.n.conversation_map[conversation], name=name))

    async def set_topic(self, conversation: ConversationId, topic: str) -> Conversation:
        self.n.check()
        return self._keep(replace(self.n.conversation_map[conversation], topic=topic))

    async def open_direct(
        self, team: ConversationId | None, persons: Sequence[PersonId]
    ) -> Conversation:
        names = {m.person: m.name for ms in self.n.member_map.values() for m in ms}
        everybody = tuple(sorted({self.n.person, *persons}))
        id_ = ConversationId(key("direct" + b"".join(everybody).hex()))
        name = ", ".join(names[p] for p in everybody if p != self.n.person)
        found = self.n.conversation_map.get(id_)
        made = Conversation(id_, ConversationKind.DIRECT, name, "", team, everybody, 0, 0, 0, 0)
        return found or self._keep(made)

    async def mark_read(
        self, conversation: ConversationId, arrival: int, thread: EntryId | None = None
    ) -> object:
        self.n.read[conversation] = arrival
        known = self.n.conversation_map[conversation]
        if thread is None and known.unread:
            self._keep(replace(known, unread=0))
        return None


class _Messages(_Part):
    async def post(
        self,
        conversation: ConversationId,
        text: str,
        thread: EntryId | None = None,
        reply_to: EntryId | None = None,
        also_in_channel: bool = False,
        client_id: str = "",
    ) -> Message:
        self.n.check()
        return self.n.write(
            conversation, text, thread=thread, reply_to=reply_to, also=also_in_channel
        )

    async def edit(self, message: EntryId, text: str) -> Message:
        self.n.check()
        return self.n.change(replace(self.n.find(message), text=text, edited=True), "edited")

    async def delete(self, message: EntryId) -> Message:
        return self.n.change(
            replace(self.n.find(message), text="", deleted=True, reactions=()), "deleted"
        )

    async def react(self, message: EntryId, emoji: str, on: bool) -> Message:
        known = self.n.find(message)
        others = tuple(r for r in known.reactions if r.emoji != emoji)
        mine = (Reaction(emoji, 1, True, (self.n.person,), (self.n.my.name,)),) if on else ()
        return self.n.change(replace(known, reactions=others + mine), "reactions")

    async def get(self, message: EntryId) -> Message:
        return self.n.find(message)

    def _list(self, conversation: ConversationId, thread: EntryId | None) -> list[Message]:
        kept = self.n.message_map.get(conversation, [])
        if thread is None:
            kept = [m for m in kept if m.thread is None or m.also_in_channel]
        else:
            kept = [m for m in kept if thread in (m.id, m.thread)]
        return sorted(kept, key=lambda m: m.order)

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
        self.n.check()
        rows = self._list(conversation, thread)
        ids = [m.id for m in rows]
        start = max(0, len(rows) - limit)
        if before is not None:
            start = max(0, ids.index(before) - limit)
            rows_end = ids.index(before)
        elif after is not None:
            start = ids.index(after) + 1
            rows_end = start + limit
        elif around is not None:
            start = max(0, ids.index(around) - limit // 2)
            rows_end = start + limit
        elif ordinal is not None:
            start = max(0, min(ordinal, len(rows)) - limit // 2)
            rows_end = start + limit
        else:
            rows_end = len(rows)
        shown = tuple(rows[start:rows_end])
        return Page(shown, start, len(rows), start > 0, start + len(shown) < len(rows))

    async def first_unread(self, conversation: ConversationId) -> Message | None:
        unread = self.n.conversation_map[conversation].unread
        others = [m for m in self._list(conversation, None) if not m.mine]
        return others[-unread] if unread and len(others) >= unread else None


class _Drafts(_Part):
    async def save(self, draft: Draft) -> object:
        self.n.draft_map[(draft.conversation, draft.thread)] = draft.text
        return None

    async def all(self) -> Sequence[Draft]:
        return [Draft(c, t, text) for (c, t), text in self.n.draft_map.items() if text]


class _Presence(_Part):
    def list(self) -> Sequence[Presence]:
        return list(self.n.presence_map.values())

    def typing(self, conversation: ConversationId, thread: EntryId | None, on: bool) -> object:
        self.n.calls.append(("typing", conversation, thread, on))
        return None


class _Settings(_Part):
    async def get(self, key: str) -> str | None:
        return self.n.setting_map.get(key)

    async def set(self, key: str, value: str | None) -> object:
        if value is None:
            self.n.setting_map.pop(key, None)
        else:
            self.n.setting_map[key] = value
        return None


class FakeNodeThread:
    """A loop in a thread with a `FakeNode`: what `bootstrap` hands the window, in small."""

    def __init__(self, node: FakeNode) -> None:
        self.node = node
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def call(self, fn: Callable[[FakeNode], Awaitable[T]]) -> concurrent.futures.Future[T]:
        async def run() -> T:
            return await fn(self.node)

        return asyncio.run_coroutine_threadsafe(run(), self.loop)

    def do(self, fn: Callable[[FakeNode], T]) -> T:
        """Run a plain function on the node's loop and wait for it."""

        async def run() -> T:
            return fn(self.node)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(5)

    def listen(self, fn: Callable[[told.Event], None]) -> None:
        self.node.bus.listen(fn)

    def close(self, timeout_s: float = 5.0) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout_s)
