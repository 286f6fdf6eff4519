"""Writing this device's own entries: the only place where an entry of ours is made.

Owns the next sequence of each own log, the grant to write under, the time stamps, and that a log
begins with `open`. Refuses to tell anybody of an entry before the store has committed it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from folkmoot.domain.bodies import Body, Genesis, Open
from folkmoot.domain.entry import MAX_TEAM_LOG_ENTRIES, Entry, LogHead
from folkmoot.domain.errors import UserError
from folkmoot.domain.fold import TeamState
from folkmoot.domain.ids import ZERO, ConversationId, DeviceId, EntryId, LogKey, PersonId
from folkmoot.domain.team import Act
from folkmoot.domain.timestamps import Stamp, is_ahead, next_stamp
from folkmoot.protocol.bodies import SALT_BYTES
from folkmoot.protocol.entries import NEW_TEAM, make_entry
from folkmoot.services.ports import Appended, Clock, Randomness, Store
from folkmoot.services.publish import Publisher
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.supervisor import Supervisor

if TYPE_CHECKING:
    from folkmoot.services.keyring import Keyring

Right = Callable[[TeamState, PersonId], EntryId | None]
"""The grant under which a person may do something; None if they may not. Not asked in directs."""
_NO_ENTRY = EntryId(ZERO)


def by(act: Act) -> Right:
    """The right to do `act` in a team."""
    return lambda state, person: state.grant_for(person, act)


@dataclass(frozen=True, slots=True)
class Written:
    """Entries of ours that are durable now, and what their commit changed. Empty if none was."""

    entries: tuple[Entry, ...] = ()
    changes: Appended = field(default_factory=Appended)


class OwnLog:
    """Appends entries of this device. One writer at a time per conversation."""

    def __init__(
        self,
        keyring: Callable[[], Keyring],
        store: Store,
        clock: Clock,
        randomness: Randomness,
        registry: TeamRegistry,
        publisher: Publisher,
        supervisor: Supervisor,
    ) -> None:
        self._keyring = keyring
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._registry = registry
        self._publisher = publisher
        self._supervisor = supervisor
        self._locks: WeakValueDictionary[ConversationId, asyncio.Lock] = WeakValueDictionary()
        self._heads: dict[LogKey, LogHead] = {}
        self._seen = Stamp(0, 0)
        self._asked: set[ConversationId] = set()
        publisher.listen(self._committed)

    async def append(
        self,
        conversation: ConversationId,
        *bodies: Body,
        right: Right,
        client_id: str = "",
    ) -> Written:
        """Write one entry per body, in one transaction; they are durable when this returns.

        `right` chooses the grant to write under. `client_id` is kept with a message that is
        the only body. Raises `UserError` ``forbidden``, ``log_full`` (of a team) and what the
        store raises.
        """

        async def given() -> tuple[Body, ...]:
            return bodies

        return await self.amend(conversation, given, right=right, client_id=client_id)

    async def amend(
        self,
        conversation: ConversationId,
        make: Callable[[], Awaitable[tuple[Body, ...]]],
        *,
        right: Right,
        client_id: str = "",
    ) -> Written:
        """Like `append`, with bodies made while nobody else here writes to the conversation.

        For writes to registers, which name the heads they saw; ``()`` writes nothing.
        """
        # Whoever asked may go away; an entry under way is finished and counted all the same.
        work = self._write(conversation, make, right, client_id)
        return await self._supervisor.finish("own-log", work)

    async def found(self, name: str, *after: Body) -> ConversationId:
        """Found a team: its genesis, then `after` in its log, in one transaction."""
        work = self._found(name, after)
        return await self._supervisor.finish("found-team", work)

    async def begin_direct(
        self, conversation: ConversationId, persons: tuple[PersonId, ...]
    ) -> None:
        """Open our log of the direct conversation of `persons` (sorted), if it is not open yet."""
        work = self._begin_direct(conversation, persons)
        await self._supervisor.finish("begin-direct", work)

    async def _write(
        self,
        conversation: ConversationId,
        make: Callable[[], Awaitable[tuple[Body, ...]]],
        right: Right,
        client_id: str,
    ) -> Written:
        async with self._lock(conversation):
            bodies = await make()
            if not bodies:
                return Written()
            grant = self._grant(conversation, right)
            log = LogKey(conversation, self._keyring().device, grant)
            head = await self._head(log)
            await self._look_at(conversation)
            opening = () if head is not None else (self._open(conversation),)
            entries = self._make(log, head, (*opening, *bodies))
            changes = await self._commit(entries, client_id)
            return Written(tuple(entries[len(opening) :]), changes)

    async def _begin_direct(
        self, conversation: ConversationId, persons: tuple[PersonId, ...]
    ) -> None:
        keyring = self._keyring()
        log = LogKey(conversation, keyring.device, _NO_ENTRY)
        async with self._lock(conversation):
            if await self._head(log) is None:
                await self._commit(self._make(log, None, (Open(keyring.signed, persons),)), "")

    async def _found(self, name: str, after: tuple[Body, ...]) -> ConversationId:
        keyring = self._keyring()
        nowhere = LogKey(NEW_TEAM, keyring.device, _NO_ENTRY)
        [genesis] = self._make(nowhere, None, (Genesis(name, keyring.signed),))
        team = ConversationId(genesis.id)
        log = LogKey(team, keyring.device, genesis.id)
        rest = self._make(log, None, (Open(keyring.signed), *after))
        await self._commit([genesis, *rest], "")
        return team

    async def _commit(self, entries: list[Entry], client_id: str) -> Appended:
        appended = await self._store.append(entries, client_id=client_id)
        self._publisher.tell(appended)
        return appended

    def _lock(self, conversation: ConversationId) -> asyncio.Lock:
        lock = self._locks.get(conversation)
        if lock is None:
            lock = self._locks[conversation] = asyncio.Lock()
        return lock

    def _committed(self, appended: Appended, _source: DeviceId | None) -> None:
        """Keep own heads and the newest time seen, whoever brought the entries."""
        device = self._keyring().device
        for entry in appended.entries:
            header = entry.header
            self._see(Stamp(header.wall_ms, header.counter))
            if header.device == device and header.conversation != NEW_TEAM:
                self._heads[header.log] = LogHead(header.log, header.sequence, entry.id)

    def _grant(self, conversation: ConversationId, right: Right) -> EntryId:
        me = self._keyring().person
        state = self._registry.team_of(conversation)
        if state is None:
            if self._registry.may_see(conversation, me):
                return _NO_ENTRY
            raise UserError("not_found", "There is no such conversation.")
        grant = right(state, me)
        if grant is None:
            raise UserError(
                "forbidden",
                f"You have no right to do this in {state.name or 'this team'}.",
                "Ask an admin of the team.",
            )
        return grant

    def _open(self, conversation: ConversationId) -> Open:
        persons = self._registry.directs().get(conversation, ())
        return Open(self._keyring().signed, persons)

    async def _head(self, log: LogKey) -> LogHead | None:
        head = self._heads.get(log)
        if head is None:
            held = await self._store.heads(log.conversation)
            head = next((one.head for one in held if one.head.log == log), None)
            if head is not None:
                self._heads[log] = head
                newest = await self._store.entry(head.id)
                if newest is not None:
                    self._see(Stamp(newest.header.wall_ms, newest.header.counter))
        return head

    async def _look_at(self, conversation: ConversationId) -> None:
        """The first time here since the start: see what time the newest message bears."""
        if conversation in self._asked:
            return
        self._asked.add(conversation)
        if await self._store.conversation(conversation) is None:
            return
        for message in (await self._store.page(conversation, limit=1)).messages:
            self._see(Stamp(message.order.wall_ms, message.order.counter))

    def _see(self, stamp: Stamp) -> None:
        if not is_ahead(stamp.wall_ms, self._clock.wall_ms()):
            self._seen = max(self._seen, stamp)

    def _make(self, log: LogKey, head: LogHead | None, bodies: tuple[Body, ...]) -> list[Entry]:
        sequence, previous = (head.sequence, head.id) if head is not None else (0, _NO_ENTRY)
        of_team = self._registry.team(log.conversation) is not None
        if of_team and sequence + len(bodies) > MAX_TEAM_LOG_ENTRIES:
            raise UserError(
                "log_full",
                "You have changed as much in this team as one computer may.",
                "Messages still work. Others can go on changing the team.",
            )
        made: list[Entry] = []
        for body in bodies:
            sequence += 1
            self._seen = next_stamp(self._clock.wall_ms(), (self._seen,))
            entry = make_entry(
                self._keyring().device_key,
                conversation=log.conversation,
                grant=log.grant,
                sequence=sequence,
                previous=previous,
                stamp=self._seen,
                body=body,
                salt=self._randomness.bytes(SALT_BYTES),
            )
            made.append(entry)
            previous = entry.id
        return made
