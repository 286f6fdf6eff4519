"""From entries to what people read: teams, conversations, and the messages in them.

Every row made here depends only on the entries, their arrival and the local read marks, so that
computing all of it again gives the same bytes. Teams come first, since they decide the rights.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from folkmoot.domain.bodies import Open
from folkmoot.domain.entry import Kind
from folkmoot.domain.fold import KEY_NAME, KEY_TOPIC
from folkmoot.domain.ids import ZERO, ConversationId, EntryId, PersonId
from folkmoot.domain.registers import Write, winner
from folkmoot.domain.team import TeamState
from folkmoot.protocol.bodies import decode_body
from folkmoot.protocol.entries import decode_header
from folkmoot.storage.book import Book, Stored, stored_entries
from folkmoot.storage.messages import Changes, MessageProjection, split_ids
from folkmoot.storage.rights import Scope, scope_of
from folkmoot.storage.rows import Rows, among, one
from folkmoot.storage.search_text import searchable

OF_A_CONVERSATION = (
    *("message", "thread", "edit", "deletion", "reaction", "register", "call"),
    "recorded",
)
"""Projection tables that are filled conversation by conversation."""
PROJECTIONS = (*OF_A_CONVERSATION, "team", "member", "device", "view", "participant")


@dataclass(slots=True)
class Projected:
    """What a batch changed: teams whose log grew, conversations by their number."""

    teams: dict[ConversationId, TeamState] = field(default_factory=dict)
    conversations: dict[int, Changes] = field(default_factory=dict)


class Projector:
    """Projects batches of entries that are already in the store."""

    def __init__(self, rows: Rows, book: Book, me: PersonId) -> None:
        self._rows = rows
        self._book = book
        self._me = me
        self._projected = Projected()
        self._whole: set[int] = set()

    def project(self, batch: Sequence[Stored]) -> Projected:
        """Bring every projection up to date with new entries."""
        by_conversation: dict[int, list[Stored]] = {}
        for stored in batch:
            by_conversation.setdefault(stored.log.conversation, []).append(stored)
        content = {
            key: entries for key, entries in by_conversation.items() if not self._team(key, entries)
        }
        for key, entries in content.items():
            self._direct(key, entries)
            if key not in self._whole:
                self._content(key, entries)
        return self._projected

    def fill(self, stored: Stored) -> Projected:
        """The body of an entry has come that was stored without it."""
        scope = scope_of(self._rows, self._book, stored.log.conversation)
        changes = self._messages(scope).fill(stored)
        self._close(scope, changes)
        return self._projected

    def write_team(self, key: int, team: ConversationId) -> None:
        """Write the rows of a team as it is folded now."""
        state = self._book.teams(self._rows)[team].state
        assert state is not None
        self._write_team(key, state)

    # Teams

    def _team(self, key: int, entries: list[Stored]) -> bool:
        """Fold the team whose log this is; False if it is none."""
        conversation = self._book.id(self._rows, key)
        teams = self._book.teams(self._rows)
        known = teams.get(conversation)
        before = known.state if known else None
        if known is not None:
            self._book.grow(conversation, [stored.entry for stored in entries])
        elif any(s.entry.header.kind == Kind.GENESIS for s in entries):
            self._book.load_team(self._rows, conversation)
        else:
            return False
        after = teams[conversation].state
        assert after is not None
        self._projected.teams[conversation] = after
        if after != before:
            self._write_team(key, after)
            self._rights_changed(before, after)
        return True

    def _write_team(self, key: int, state: TeamState) -> None:
        rows = self._rows
        rows.run(
            "INSERT OR REPLACE INTO team VALUES (?, ?, ?)", (key, state.name, int(state.visible))
        )
        rows.run("DELETE FROM member WHERE team = ?", (key,))
        rows.many(
            "INSERT INTO member VALUES (?, ?, ?, ?)",
            [(key, m.person, m.name, int(m.role)) for m in state.members.values()],
        )
        rows.run("DELETE FROM device WHERE team = ?", (key,))
        rows.many(
            "INSERT INTO device VALUES (?, ?, ?)",
            [(key, device, person) for device, person in state.devices.items()],
        )

    def _rights_changed(self, before: TeamState | None, after: TeamState) -> None:
        """Show new channels; read anew what was written under grants that are judged otherwise."""
        old_grants = before.grants if before else {}
        old_channels = before.channels if before else {}
        changed = [g for g, held in after.grants.items() if old_grants.get(g) != held]
        sql = "SELECT DISTINCT conversation FROM log WHERE grant_id IN (??)"
        keys = {row[0] for row in among(self._rows, sql, changed)}
        for channel, held in after.channels.items():
            if old_channels.get(channel) != held:
                keys.add(self._book.new_key(self._rows, channel))
        for key in sorted(keys):
            if self._book.id(self._rows, key) in after.channels:
                self.reproject(key)

    # Conversations

    def reproject(self, key: int) -> None:
        """Compute one conversation again from its entries."""
        rows = self._rows
        gone = rows.all("SELECT arrival, text FROM message WHERE conversation = ?", (key,))
        rows.many(
            "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)",
            [(arrival, searchable(text)) for arrival, text in gone if text],
        )
        for table in OF_A_CONVERSATION:
            rows.run(f"DELETE FROM {table} WHERE conversation = ?", (key,))
        rows.run(
            "UPDATE view SET messages = 0, unread = 0, mentions = 0 WHERE conversation = ?", (key,)
        )
        self._whole.add(key)
        entries = list(stored_entries(rows, self._book, key))
        self._direct(key, entries)
        self._content(key, entries)
        scope = scope_of(rows, self._book, key)
        if scope.team is not None:
            self._rename(scope)

    def _direct(self, key: int, entries: Iterable[Stored]) -> None:
        """The first opening entry of a direct conversation names its persons."""
        for stored in entries:
            entry = stored.entry
            if entry.header.kind != Kind.OPEN or entry.body is None:
                continue
            body = decode_body(Kind.OPEN, entry.body)
            if isinstance(body, Open) and body.persons:
                self._rows.many(
                    "INSERT OR IGNORE INTO participant VALUES (?, ?)",
                    [(key, person) for person in body.persons],
                )

    def _content(self, key: int, entries: Sequence[Stored]) -> None:
        scope = scope_of(self._rows, self._book, key)
        if scope.team is None and not scope.persons:
            return
        self._open_view(scope, entries)
        changes = self._messages(scope).project(entries)
        self._close(scope, changes)

    def _messages(self, scope: Scope) -> MessageProjection:
        mark = one(
            self._rows,
            "SELECT arrival FROM read_mark WHERE conversation = ? AND thread = ?",
            (scope.key, ZERO),
        )
        return MessageProjection(self._rows, scope, self._me, mark[0] if mark else 0)

    def _open_view(self, scope: Scope, entries: Sequence[Stored]) -> None:
        """The row of the conversation; a direct one began with the earliest opening entry."""
        rows = self._rows
        opened = [s.entry.header.wall_ms for s in entries if s.entry.header.kind == Kind.OPEN]
        if one(rows, "SELECT 1 FROM view WHERE conversation = ?", (scope.key,)) is None:
            team, name, created_ms = None, "", min(opened, default=0)
            if scope.team is not None:
                team = self._book.key(rows, scope.team.id)
                name = scope.team.channels[scope.id].name
                created_ms = self._made_ms(scope.id)
            rows.run(
                "INSERT INTO view VALUES (?, ?, ?, '', ?, 0, 0, 0, ?)",
                (scope.key, team, name, created_ms, created_ms),
            )
        elif opened and scope.team is None:
            rows.run(
                "UPDATE view SET created_ms = min(created_ms, ?) WHERE conversation = ?",
                (min(opened), scope.key),
            )

    def _made_ms(self, channel: ConversationId) -> int:
        row = one(self._rows, "SELECT header FROM entry WHERE id = ?", (channel,))
        return decode_header(row[0]).wall_ms if row else 0

    def _close(self, scope: Scope, changes: Changes) -> None:
        """Bring the row of the conversation up to date with what was projected."""
        self._projected.conversations[scope.key] = changes
        if changes.renamed:
            self._rename(scope)
        self._rows.run(
            "UPDATE view SET messages = messages + ?, unread = unread + ?,"
            " mentions = mentions + ?, last_ms = coalesce((SELECT wall_ms FROM message m"
            " WHERE m.conversation = view.conversation AND m.shown = 1"
            " ORDER BY m.wall_ms DESC, m.counter DESC, m.id DESC LIMIT 1), created_ms)"
            " WHERE conversation = ?",
            (changes.messages, changes.unread, changes.mentions, scope.key),
        )

    def _rename(self, scope: Scope) -> None:
        assert scope.team is not None
        name = self._setting(scope.key, KEY_NAME) or scope.team.channels[scope.id].name
        topic = self._setting(scope.key, KEY_TOPIC) or ""
        self._rows.run(
            "UPDATE view SET name = ?, topic = ? WHERE conversation = ?", (name, topic, scope.key)
        )

    def _setting(self, key: int, name: str) -> str | None:
        sql = "SELECT id, replaces, value FROM register WHERE conversation = ? AND key = ?"
        written = self._rows.all(sql, (key, name))
        best = winner(Write(EntryId(row[0]), split_ids(row[1])) for row in written)
        return next((row[2] for row in written if row[0] == best), None)


def rebuild(rows: Rows, book: Book, me: PersonId) -> int:
    """Drop every projection and compute it again; returns how many entries were read."""
    for table in PROJECTIONS:
        rows.run(f"DELETE FROM {table}")
    rows.run("INSERT INTO words (words) VALUES ('delete-all')")
    book.forget()
    projector = Projector(rows, book, me)
    teams = book.teams(rows)
    for team in sorted(teams):
        key = book.key(rows, team)
        assert key is not None
        projector.write_team(key, team)
    known = {book.key(rows, team) for team in teams}
    for (key,) in rows.all("SELECT key FROM conversation ORDER BY key"):
        if key not in known:
            projector.reproject(key)
    counted = one(rows, "SELECT count(*) FROM entry")
    return counted[0] if counted else 0
