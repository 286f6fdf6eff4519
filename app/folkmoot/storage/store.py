"""The store of a node: `services.ports.Store` on SQLite.

Owns which job runs on which lane; what a job does is in the modules beside. Every awaited write is
on disk when it returns. Refuses a store of another person: its projections are made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from folkmoot.domain.entry import Entry, Kind, LogHead
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, LogKey, PersonId
from folkmoot.domain.team import TeamState
from folkmoot.services.call_values import CallId, CallRecord, Recording
from folkmoot.services.ports import Appended, Clock, HeldLog, StoredAddress
from folkmoot.services.values import (
    Conversation,
    Delivery,
    Draft,
    Message,
    Page,
    Revision,
    Thread,
)
from folkmoot.storage import entries as log_entries
from folkmoot.storage import local, peers, read_marks, recordings, registers
from folkmoot.storage.book import Book, Stored, stored_entry
from folkmoot.storage.call_cards import states_by
from folkmoot.storage.database import Database
from folkmoot.storage.forgetting import forget_step
from folkmoot.storage.lanes import Lanes, ThreadLanes
from folkmoot.storage.projection import Projected, Projector, rebuild
from folkmoot.storage.reading import Reading
from folkmoot.storage.rows import Rows, one

T = TypeVar("T")
BULK_LIMIT = 50


class SqliteStore:
    """One profile's store. Made with `open`."""

    bulk_limit = BULK_LIMIT

    def __init__(
        self, path: Path | str, me: PersonId, device: DeviceId, clock: Clock, lanes: Lanes
    ) -> None:
        """Nothing is opened yet; see `open`."""
        self._path = path
        self._me = me
        self._device = device
        self._clock = clock
        self._lanes = lanes
        self._book = Book()
        self._database: Database | None = None

    @classmethod
    async def open(
        cls,
        path: Path | str,
        me: PersonId,
        device: DeviceId,
        *,
        clock: Clock,
        lanes: Lanes | None = None,
    ) -> SqliteStore:
        """Open the file at `path` (``:memory:`` for none), made if it does not exist.

        `lanes` None: threads. Raises `EnvironmentFault` ``read_only``, ``store_newer``,
        ``store_damaged``, ``disk_full``.
        """
        store = cls(path, me, device, clock, lanes or ThreadLanes())
        await store._lanes.start(store._open, store._book.forget)
        try:
            await store._lanes.write(store._settle_owner)
        except BaseException:
            await store._lanes.aclose()
            raise
        return store

    def _open(self) -> Database:
        self._database = Database(self._path)
        return self._database

    def _settle_owner(self, rows: Rows) -> None:
        """The projections know whose messages are own ones: they are made for one person."""
        row = one(rows, "SELECT value FROM meta WHERE key = 'me'")
        stale = one(rows, "SELECT 1 FROM meta WHERE key = 'rebuild'")  # a schema step says so
        if stale or (row is not None and row[0] != self._me):
            rebuild(rows, self._book, self._me)
            rows.run("DELETE FROM meta WHERE key = 'rebuild'")
        for key, value in (("me", self._me), ("device", self._device)):
            rows.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    async def aclose(self) -> None:
        """Finish what is queued and close the file."""
        await self._lanes.aclose()

    async def rebuild(self) -> int:
        """Compute every projection again; returns the number of entries read."""
        return await self._lanes.write(lambda rows: rebuild(rows, self._book, self._me))

    # The log

    async def append(self, entries: Sequence[Entry], *, client_id: str = "") -> Appended:
        """See `Store.append`."""
        frees = bool(entries) and all(entry.header.kind == Kind.DELETE for entry in entries)
        return await self._lanes.write(
            lambda rows: self._append(rows, entries, client_id), frees=frees
        )

    def _append(self, rows: Rows, entries: Sequence[Entry], client_id: str) -> Appended:
        self._book.teams(rows)  # as they were before, so that what changes can be seen
        taken = log_entries.take_entries(rows, self._book, entries, self._clock.wall_ms())
        if client_id and entries:
            sql = "INSERT OR IGNORE INTO client VALUES (?, ?)"
            rows.run(sql, (client_id, entries[-1].id))
        if not taken:
            return Appended()
        projected = Projector(rows, self._book, self._me).project(taken)
        return self._appended(rows, tuple(stored.entry for stored in taken), [projected])

    async def fill_bodies(self, bodies: Sequence[tuple[EntryId, bytes]]) -> Appended:
        """See `Store.fill_bodies`."""
        return await self._lanes.write(lambda rows: self._fill(rows, bodies))

    def _fill(self, rows: Rows, bodies: Sequence[tuple[EntryId, bytes]]) -> Appended:
        taken = log_entries.take_bodies(rows, bodies)
        filled: list[Stored] = [stored_entry(rows, self._book, *place) for place in taken]
        projected = [Projector(rows, self._book, self._me).fill(stored) for stored in filled]
        return self._appended(rows, tuple(stored.entry for stored in filled), projected)

    def _appended(
        self, rows: Rows, entries: tuple[Entry, ...], projected: Sequence[Projected]
    ) -> Appended:
        """Read what changed, inside the transaction that changed it."""
        reading = Reading(rows, self._me, self._device)
        created: list[EntryId] = []
        changed: dict[EntryId, str] = {}
        arrived: dict[ConversationId, int] = {}
        keys: dict[int, None] = {}
        teams: dict[ConversationId, TeamState] = {}
        for part in projected:
            teams.update(part.teams)
            for key, changes in part.conversations.items():
                keys[key] = None
                if len(changes.created) > BULK_LIMIT:
                    arrived[self._book.id(rows, key)] = len(changes.created)
                    continue
                created.extend(changes.created)
                changed.update(changes.changed)
        held = reading.messages({*created, *changed}) if created or changed else {}
        new = sorted((held[m] for m in created if m in held), key=lambda m: m.arrival)
        roots = {message.thread for message in new if message.thread is not None}
        return Appended(
            entries=entries,
            created=tuple(new),
            roots=reading.messages(roots) if roots else {},
            changed=tuple(
                (held[message], what)
                for message, what in changed.items()
                if message in held and message not in created
            ),
            arrived=arrived,
            conversations=tuple(reading.conversations(keys)) if keys else (),
            teams=teams,
        )

    async def heads(self, conversation: ConversationId) -> list[HeldLog]:
        """See `Store.heads`."""
        return await self._lanes.read(lambda rows: log_entries.heads(rows, conversation))

    async def conversations_with_entries(self) -> list[ConversationId]:
        """See `Store.conversations_with_entries`."""
        sql = (
            "SELECT c.id FROM conversation c WHERE EXISTS"
            " (SELECT 1 FROM log l WHERE l.conversation = c.key) ORDER BY c.id"
        )
        return await self._lanes.read(lambda rows: [row[0] for row in rows.all(sql)])

    async def segment(self, log: LogKey, first: int, max_bytes: int) -> list[Entry]:
        """See `Store.segment`."""
        return await self._lanes.read(lambda rows: log_entries.segment(rows, log, first, max_bytes))

    async def bodies(
        self, conversation: ConversationId, ids: Sequence[EntryId], max_bytes: int
    ) -> list[tuple[EntryId, bytes]]:
        """See `Store.bodies`."""
        return await self._lanes.read(
            lambda rows: log_entries.bodies(rows, conversation, ids, max_bytes)
        )

    async def entry(self, entry: EntryId) -> Entry | None:
        """See `Store.entry`."""
        return await self._lanes.read(lambda rows: log_entries.entry(rows, entry))

    async def forget_words(self) -> bool:
        """See `Store.forget_words`."""
        return await self._lanes.write(forget_step)

    async def wanting(self) -> list[ConversationId]:
        """See `Store.wanting`."""
        return await self._lanes.read(log_entries.wanting)

    async def wanted(self, conversation: ConversationId, limit: int) -> list[EntryId]:
        """See `Store.wanted`."""
        return await self._lanes.read(lambda rows: log_entries.wanted(rows, conversation, limit))

    async def team_states(self) -> dict[ConversationId, TeamState]:
        """See `Store.team_states`."""

        def states(rows: Rows) -> dict[ConversationId, TeamState]:
            teams = self._book.teams(rows)
            return {team: held.state for team, held in teams.items() if held.state is not None}

        return await self._lanes.write(states)

    async def direct_persons(self) -> dict[ConversationId, tuple[PersonId, ...]]:
        """See `Store.direct_persons`."""
        sql = (
            "SELECT c.id, p.person FROM participant p JOIN conversation c ON c.key = p.conversation"
            " ORDER BY c.id, p.person"
        )
        persons: dict[ConversationId, tuple[PersonId, ...]] = {}
        for conversation, person in await self._lanes.read(lambda rows: rows.all(sql)):
            persons[conversation] = (*persons.get(conversation, ()), person)
        return persons

    # What people read

    async def _reading(self, job: Callable[[Reading], T]) -> T:
        return await self._lanes.read(lambda rows: job(Reading(rows, self._me, self._device)))

    async def conversations(self) -> list[Conversation]:
        """See `Store.conversations`."""
        return await self._reading(lambda reading: reading.conversations())

    async def conversation(self, conversation: ConversationId) -> Conversation | None:
        """See `Store.conversation`."""
        return await self._reading(lambda reading: reading.conversation(conversation))

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
        """See `Store.page`. Raises `UserError` ``not_found``."""
        return await self._reading(
            lambda reading: reading.page(
                conversation, thread, before, after, around, ordinal, limit
            )
        )

    async def message(self, message: EntryId) -> Message | None:
        """See `Store.message`."""
        return await self._reading(lambda reading: reading.messages([message]).get(message))

    async def message_by_client_id(self, client_id: str) -> Message | None:
        """See `Store.message_by_client_id`."""
        sql = "SELECT entry FROM client WHERE client_id = ?"

        def find(rows: Rows) -> Message | None:
            row = one(rows, sql, (client_id,))
            reading = Reading(rows, self._me, self._device)
            return reading.messages([EntryId(row[0])]).get(EntryId(row[0])) if row else None

        return await self._lanes.read(find)

    async def calls(self, limit: int) -> list[CallRecord]:
        """See `Store.calls`."""
        return await self._reading(lambda reading: reading.calls(limit))

    async def call_states(self, conversation: ConversationId, call: CallId) -> set[int]:
        """See `Store.call_states`."""
        return await self._lanes.read(
            lambda rows: states_by(rows, conversation, call, self._device)
        )

    async def first_unread(self, conversation: ConversationId) -> Message | None:
        """See `Store.first_unread`."""
        return await self._reading(lambda reading: reading.first_unread(conversation))

    async def threads(self, conversation: ConversationId, limit: int) -> list[Thread]:
        """See `Store.threads`."""
        return await self._reading(lambda reading: reading.threads(conversation, limit))

    async def revisions(self, message: EntryId) -> list[Revision]:
        """See `Store.revisions`."""
        return await self._lanes.read(lambda rows: registers.revisions(rows, message))

    async def edit_heads(self, message: EntryId) -> list[EntryId]:
        """See `Store.edit_heads`."""
        return await self._lanes.read(lambda rows: registers.edit_heads(rows, message))

    async def react_heads(self, message: EntryId, person: PersonId, emoji: str) -> list[EntryId]:
        """See `Store.react_heads`."""
        return await self._lanes.read(
            lambda rows: registers.react_heads(rows, message, person, emoji)
        )

    async def set_heads(
        self, conversation: ConversationId, person: PersonId, key: str
    ) -> list[EntryId]:
        """See `Store.set_heads`."""
        return await self._lanes.write(
            lambda rows: registers.set_heads(rows, self._book, conversation, person, key)
        )

    # Reading, delivery

    async def mark_read(
        self, conversation: ConversationId, arrival: int, thread: EntryId | None = None
    ) -> Conversation | None:
        """See `Store.mark_read`."""

        def mark(rows: Rows) -> Conversation | None:
            key = read_marks.mark_read(rows, self._book, conversation, arrival, thread)
            if key is None:
                return None
            return Reading(rows, self._me, self._device).conversations([key])[0]

        return await self._lanes.write(mark)

    async def note_held(
        self, device: DeviceId, heads: Sequence[LogHead]
    ) -> dict[ConversationId, list[tuple[EntryId, int, int]]]:
        """See `Store.note_held`."""
        return await self._lanes.write(
            lambda rows: peers.note_held(rows, self._book, self._me, device, self._device, heads)
        )

    async def held_by(self, device: DeviceId) -> dict[LogKey, int]:
        """See `Store.held_by`."""
        return await self._lanes.read(lambda rows: peers.held_by(rows, device))

    async def delivery(self, message: EntryId) -> Delivery:
        """See `Store.delivery`. Raises `UserError` ``not_found``."""
        return await self._reading(lambda reading: reading.delivery(message))

    # Local matters

    async def save_draft(self, draft: Draft) -> None:
        """See `Store.save_draft`."""
        await self._lanes.write(lambda rows: local.save_draft(rows, draft))

    async def drafts(self) -> list[Draft]:
        """See `Store.drafts`."""
        return await self._lanes.read(local.drafts)

    async def setting(self, key: str) -> str | None:
        """See `Store.setting`."""
        return await self._lanes.read(lambda rows: local.setting(rows, key))

    async def set_setting(self, key: str, value: str | None) -> None:
        """See `Store.set_setting`."""
        await self._lanes.write(lambda rows: local.set_setting(rows, key, value))

    async def settings(self, prefix: str) -> dict[str, str]:
        """See `Store.settings`."""
        return await self._lanes.read(lambda rows: local.settings(rows, prefix))

    async def remember_address(self, address: StoredAddress) -> None:
        """See `Store.remember_address`."""
        await self._lanes.write(lambda rows: peers.remember_address(rows, address))

    async def addresses(self) -> list[StoredAddress]:
        """See `Store.addresses`."""
        return await self._lanes.read(peers.addresses)

    async def save_recording(self, recording: Recording) -> None:
        """See `Store.save_recording`."""
        await self._lanes.write(lambda rows: recordings.save(rows, recording))

    async def recordings(self) -> list[Recording]:
        """See `Store.recordings`."""
        return await self._lanes.read(recordings.held)

    async def forget_recording(self, id: str) -> None:
        """See `Store.forget_recording`."""
        await self._lanes.write(lambda rows: recordings.forget(rows, id))

    async def counts(self) -> tuple[int, int, int]:
        """See `Store.counts`."""

        def count(rows: Rows) -> tuple[int, int, int]:
            sql = "SELECT count(*), coalesce(sum(messages), 0) FROM view"
            ((conversations, messages),) = rows.all(sql)
            size = self._database.size_bytes() if self._database else 0
            return conversations, messages, size

        return await self._lanes.read(count)
