"""The messages of a conversation as its entries make them, in whatever order those arrive.

An edit, a delete or a reaction may be here before its message. Whoever lacks the right changes
nothing. A delete is final: text, edits and place in a thread go, and bodies that come later are not
kept. A deleted message is shown only where a thread hangs on it. Each entry of a call is a row,
too, but only the start that counts is shown; nobody can edit it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from folkmoot.domain.bodies import Delete, Edit, MessageBody, React, Set
from folkmoot.domain.entry import Kind
from folkmoot.domain.ids import ZERO, EntryId, PersonId
from folkmoot.domain.registers import Write, winner
from folkmoot.domain.timestamps import Stamp, place
from folkmoot.protocol.bodies import decode_body
from folkmoot.storage.book import Stored
from folkmoot.storage.call_cards import written_of
from folkmoot.storage.calls import (
    INSERT_CALL,
    INSERT_RECORDED,
    call_row,
    read_call,
    read_recording,
    recorded_row,
)
from folkmoot.storage.forgetting import words_are_stale
from folkmoot.storage.rights import Scope
from folkmoot.storage.rows import Row, Rows, among
from folkmoot.storage.search_text import searchable


class MessageRow(NamedTuple):
    """A row of `message`, in the order of its columns."""

    arrival: int
    id: bytes
    conversation: int
    log: int
    sequence: int
    wall_ms: int
    counter: int
    sent_ms: int
    arrived_ms: int
    thread: bytes | None
    reply: bytes | None
    also: int
    shown: int
    news: int
    mentioned: int
    clock_wrong: int
    edited: int
    deleted: int
    missing: int
    text: str
    call: bytes | None = None
    """None: a message; empty: a call, not known which."""


_NOBODY = PersonId(b"")
"""Whoever may delete what this one wrote, may delete what anybody wrote."""

_COLUMNS = ", ".join(MessageRow._fields)
_MARKS = ", ".join("?" * len(MessageRow._fields))
_INSERT = f"INSERT INTO message ({_COLUMNS}) VALUES ({_MARKS})"
_REPLACE = f"INSERT OR REPLACE INTO message ({_COLUMNS}) VALUES ({_MARKS})"
_INDEX = "INSERT INTO words (rowid, text) VALUES (?, ?)"
_UNINDEX = "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)"


@dataclass(slots=True)
class Changes:
    """What a batch of entries changed in one conversation."""

    created: set[EntryId] = field(default_factory=set)
    changed: dict[EntryId, str] = field(default_factory=dict)
    messages: int = 0
    unread: int = 0
    mentions: int = 0
    touched: bool = False
    renamed: bool = False


class MessageProjection:
    """Projects the entries of one conversation; made anew for each batch."""

    def __init__(self, rows: Rows, scope: Scope, me: PersonId, read_up_to: int) -> None:
        """`read_up_to` is the arrival up to which the conversation is read."""
        self._rows = rows
        self._scope = scope
        self._me = me
        self._read_up_to = read_up_to
        self._posts: dict[int, bool] = {}
        self._unsettled: set[EntryId] = set()
        self._threads: set[bytes] = set()
        self._calls: set[bytes] = set()
        self._reactions: dict[tuple[EntryId, PersonId, str], None] = {}
        self._new: list[MessageRow] = []
        self._facts: dict[str, list[Row]] = defaultdict(list)
        self.changes = Changes()

    def project(self, batch: Iterable[Stored]) -> Changes:
        """Take entries in the order of their arrival and bring every row up to date."""
        for stored in batch:
            self._take(stored)
        for sql, facts in self._facts.items():
            self._rows.many(sql, facts)
        self._insert_messages()
        self._settle()
        self._settle_calls()
        self._settle_reactions()
        self._settle_threads()
        return self.changes

    def fill(self, stored: Stored) -> Changes:
        """The body of an entry has come that was taken without it."""
        old = self._load([stored.entry.id])
        for row, _ in old:
            self._count(row, -1)
            self._unindex(row)
            self._rows.run("DELETE FROM message WHERE arrival = ?", (row.arrival,))
        changes = self.project([stored])
        for row, _ in old:
            if row.call is None:
                changes.created.discard(EntryId(row.id))
                changes.changed[EntryId(row.id)] = "body"
        return changes

    # Taking entries

    def _take(self, stored: Stored) -> None:
        kind, log = stored.entry.header.kind, stored.log
        if kind in (Kind.MESSAGE, Kind.CALL, Kind.RECORDING):
            posts = self._posts.get(log.key)
            if posts is None:
                posts = self._posts[log.key] = self._scope.may_post(log)
            if posts and kind == Kind.RECORDING:
                self._recorded(stored)
            elif posts:
                message = kind == Kind.MESSAGE
                self._new.append(self._message(stored) if message else self._call(stored))
        elif stored.entry.body is None or not self._scope.counts(log):
            return
        elif kind in (Kind.EDIT, Kind.DELETE, Kind.REACT, Kind.SET):
            self._take_act(stored, stored.entry.body)

    def _take_act(self, stored: Stored, data: bytes) -> None:
        body = decode_body(stored.entry.header.kind, data)
        log, entry, key = stored.log, stored.entry, self._scope.key
        wall_ms = entry.header.wall_ms
        if isinstance(body, Edit):
            sql = "INSERT INTO edit VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            replaces = b"".join(body.replaces)
            row: Row = (
                *(stored.arrival, entry.id, key, body.target),
                *(log.person, wall_ms, body.text, replaces),
            )
            self._unsettled.add(body.target)
        elif isinstance(body, Delete):
            sql = "INSERT INTO deletion VALUES (?, ?, ?, ?, ?)"
            moderates = int(self._scope.may_delete_of(log, _NOBODY))
            row = (stored.arrival, key, body.target, log.person, moderates)
            self._unsettled.add(body.target)
        elif isinstance(body, React) and self._scope.may_post(log):
            sql = "INSERT INTO reaction VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"
            replaces = b"".join(body.replaces)
            row = (
                *(stored.arrival, entry.id, key, body.target, log.person),
                *(body.emoji, int(body.on), wall_ms, replaces),
            )
            self._reactions[body.target, log.person, body.emoji] = None
        elif isinstance(body, Set) and self._scope.may_set(log, body.key, body.value):
            sql = "INSERT INTO register VALUES (?, ?, ?, ?, ?, ?)"
            replaces = b"".join(body.replaces)
            row = (stored.arrival, entry.id, key, body.key, body.value, replaces)
            self.changes.renamed = True
        else:
            return
        self._facts[sql].append(row)

    def _message(self, stored: Stored) -> MessageRow:
        entry, log = stored.entry, stored.log
        text, thread, reply, also, mentioned = "", None, None, 0, 0
        if entry.body is not None:
            body = decode_body(entry.header.kind, entry.body)
            assert isinstance(body, MessageBody)
            text, also = body.text, int(body.also_in_channel)
            thread = None if body.thread == ZERO else body.thread
            reply = None if body.reply == ZERO else body.reply
            mentioned = int(self._me in body.mentions)
        shown = int(thread is None or also)
        missing = int(entry.body is None)
        news = int(shown and not missing and log.person != self._me)
        return replace_row(
            _plain_row(stored),
            thread=thread,
            reply=reply,
            also=also,
            shown=shown,
            news=news,
            mentioned=mentioned,
            missing=missing,
            text=text,
        )

    def _call(self, stored: Stored) -> MessageRow:
        """An entry of a call; which one is shown is settled when all of a batch are taken."""
        body, call = read_call(stored.entry), b""
        if body is not None:
            call = body.call
            row = call_row(stored, self._scope.key, body)
            self._facts[INSERT_CALL].append(row)
            self._calls.add(call)
        missing = int(stored.entry.body is None)
        return replace_row(_plain_row(stored), missing=missing, call=call)

    def _recorded(self, stored: Stored) -> None:
        """That somebody recorded a call: no row of its own, the card of the call tells it. So
        nobody can delete it either: who recorded and when stays known."""
        body = read_recording(stored.entry)
        if body is not None:
            row = recorded_row(stored, self._scope.key, body)
            self._facts[INSERT_RECORDED].append(row)
            self._calls.add(body.call)

    def _insert_messages(self) -> None:
        new = self._new
        if not new:
            return
        self._rows.many(_INSERT, [tuple(row) for row in new])
        self._rows.many(_INDEX, [(row.arrival, searchable(row.text)) for row in new if row.text])
        for row in new:
            self._count(row, 1)
        self.changes.created.update(EntryId(row.id) for row in new if row.call is None)
        self._threads.update(row.thread for row in new if row.thread is not None)
        waiting = (
            "SELECT target FROM edit WHERE target IN (??)",
            "SELECT target FROM deletion WHERE target IN (??)",
        )
        for sql in waiting:
            self._unsettled.update(row[0] for row in among(self._rows, sql, (m.id for m in new)))

    # Edits and deletes

    def _settle(self) -> None:
        if not self._unsettled:
            return
        edits = self._by_target("edit", "arrival, id, person, text, replaces")
        deletions = self._by_target("deletion", "person, moderates")
        for row, author in self._load(self._unsettled):
            entry = EntryId(row.id)
            if any(person == author or moderates for person, moderates in deletions[entry]):
                self._delete(row, [edit[0] for edit in edits[entry]])
            elif row.call is None:
                self._edit(row, [edit for edit in edits[entry] if edit[2] == author])

    def _by_target(self, table: str, columns: str) -> dict[bytes, list[Row]]:
        sql = f"SELECT target, {columns} FROM {table} WHERE conversation = ? AND target IN (??)"
        found: dict[bytes, list[Row]] = defaultdict(list)
        for target, *rest in among(self._rows, sql, self._unsettled, (self._scope.key,)):
            found[target].append(tuple(rest))
        return found

    def _load(self, ids: Iterable[EntryId]) -> list[tuple[MessageRow, bytes]]:
        """The messages of this conversation among `ids`, each with its author."""
        columns = ", ".join(f"m.{name}" for name in MessageRow._fields)
        sql = (
            f"SELECT {columns}, l.person FROM entry e JOIN message m ON m.arrival = e.arrival"
            " JOIN log l ON l.key = m.log WHERE m.conversation = ? AND e.id IN (??)"
        )
        found = among(self._rows, sql, ids, (self._scope.key,))
        return [(MessageRow(*row[:-1]), row[-1]) for row in found]

    def _delete(self, row: MessageRow, edits: Sequence[int]) -> None:
        drop = "UPDATE entry SET body = NULL, dropped = 1 WHERE arrival = ?"
        self._rows.many(drop, [(arrival,) for arrival in (row.arrival, *edits)])
        self._rows.many("DELETE FROM edit WHERE arrival = ?", [(arrival,) for arrival in edits])
        if row.deleted:
            return
        if row.call:
            self._rows.run("DELETE FROM call WHERE arrival = ?", (row.arrival,))
            self._calls.add(row.call)
        words_are_stale(self._rows)
        gone = replace_row(
            row,
            thread=None,
            reply=None,
            also=0,
            shown=self._has_replies(row.id),
            news=0,
            mentioned=0,
            edited=0,
            deleted=1,
            missing=0,
            text="",
            call=None if row.call is None else b"",
        )
        if row.thread is not None:
            self._threads.add(row.thread)
        self._change(row, gone, "deleted")

    def _has_replies(self, root: bytes) -> int:
        sql = "SELECT 1 FROM message WHERE conversation = ? AND thread = ? LIMIT 1"
        return len(self._rows.all(sql, (self._scope.key, root)))

    def _edit(self, row: MessageRow, edits: Sequence[Row]) -> None:
        texts = {EntryId(entry): text for _, entry, _, text, _ in edits}
        best = winner(Write(EntryId(edit[1]), split_ids(edit[4])) for edit in edits)
        if best is not None and (not row.edited or row.text != texts[best]):
            self._change(row, replace_row(row, edited=1, text=texts[best]), "edited")

    def _change(self, old: MessageRow, new: MessageRow, what: str) -> None:
        self._unindex(old)
        self._rows.run(_REPLACE, new)
        if new.text:
            self._rows.run(_INDEX, (new.arrival, searchable(new.text)))
        self._count(old, -1)
        self._count(new, 1)
        self.changes.changed[EntryId(new.id)] = what

    def _unindex(self, row: MessageRow) -> None:
        if row.text:
            self._rows.run(_UNINDEX, (row.arrival, searchable(row.text)))

    def _count(self, row: MessageRow, sign: int) -> None:
        changes = self.changes
        changes.touched = True
        changes.messages += sign * row.shown
        if row.news and row.arrival > self._read_up_to:
            changes.unread += sign
            changes.mentions += sign * row.mentioned

    # Calls

    def _settle_calls(self) -> None:
        """Of each call the starts that count are shown; one that this person was in, or
        declined, is no news."""
        told = written_of(self._rows, self._scope.key, self._calls)
        starts = {start.id: (start, w) for w in told.values() for start in w.starts}
        for row, author in self._load(starts):
            entry = EntryId(row.id)
            start, written = starts[entry]
            shown = int(start.counts)
            answered = written.was_in(self._me) or self._me in written.declined
            news = int(shown and author != self._me and not answered)
            if (shown, news) != (row.shown, row.news):
                self._change(row, replace_row(row, shown=shown, news=news), "call")
            if shown and not row.shown:
                self.changes.changed.pop(entry, None)
                self.changes.created.add(entry)
            elif shown:
                self.changes.changed[entry] = "call"

    # Reactions and threads

    def _settle_reactions(self) -> None:
        sql = (
            "SELECT arrival, id, chosen, replaces FROM reaction"
            " WHERE target = ? AND person = ? AND emoji = ? AND conversation = ?"
        )
        for target, person, emoji in self._reactions:
            written = self._rows.all(sql, (target, person, emoji, self._scope.key))
            best = winner(Write(EntryId(row[1]), split_ids(row[3])) for row in written)
            self._rows.many(
                "UPDATE reaction SET current = ? WHERE arrival = ?",
                [(int(row[1] == best and row[2]), row[0]) for row in written],
            )
            self.changes.changed.setdefault(target, "reactions")

    def _settle_threads(self) -> None:
        count = "SELECT count(*), max(wall_ms) FROM message WHERE conversation = ? AND thread = ?"
        for root in self._threads:
            ((replies, last_ms),) = self._rows.all(count, (self._scope.key, root))
            if replies:
                self._rows.run(
                    "INSERT OR REPLACE INTO thread VALUES (?, ?, ?, ?)",
                    (self._scope.key, root, replies, last_ms),
                )
            else:
                self._rows.run(
                    "DELETE FROM thread WHERE conversation = ? AND root = ?",
                    (self._scope.key, root),
                )
        for row, _ in self._load(EntryId(root) for root in self._threads):
            shown = self._has_replies(row.id)
            if row.deleted and row.shown != shown:
                self._change(row, replace_row(row, shown=shown), "deleted")


def _plain_row(stored: Stored) -> MessageRow:
    """A row at its place in the conversation that says nothing yet and is not shown."""
    header, log = stored.entry.header, stored.log
    stands = place(Stamp(header.wall_ms, header.counter), stored.arrived_ms)
    return MessageRow(
        stored.arrival,
        stored.entry.id,
        log.conversation,
        log.key,
        header.sequence,
        stands.wall_ms,
        stands.counter,
        header.wall_ms,
        stored.arrived_ms,
        thread=None,
        reply=None,
        also=0,
        shown=0,
        news=0,
        mentioned=0,
        clock_wrong=int(stands.clock_wrong),
        edited=0,
        deleted=0,
        missing=0,
        text="",
    )


def replace_row(row: MessageRow, **values: object) -> MessageRow:
    """`row` with other values."""
    return row._replace(**values)  # type: ignore[arg-type]


def split_ids(joined: bytes) -> tuple[EntryId, ...]:
    """Identifiers that were kept end to end."""
    return tuple(EntryId(joined[at : at + 32]) for at in range(0, len(joined), 32))
