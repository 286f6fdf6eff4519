"""The log as it is kept: taking entries in, and giving them out again.

Refuses an entry that does not follow its log's head (``gap``), one at a held sequence with another
id (``fork``) and a log that does not begin with a certificate (``bad_open``). Signatures, chains
and bodies were checked before they come here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from folkmoot.domain.bodies import Genesis, Open
from folkmoot.domain.entry import (
    FIRST_DROPPABLE_KIND,
    MAX_SEGMENT_ENTRIES,
    Entry,
    Kind,
    LogHead,
)
from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import ConversationId, EntryId, LogKey, PersonId
from folkmoot.protocol.bodies import decode_body
from folkmoot.protocol.certificates import read_certificate
from folkmoot.protocol.entries import check_body, decode_header
from folkmoot.services.ports import HeldLog
from folkmoot.storage.book import Book, Log, Stored
from folkmoot.storage.rows import Row, Rows, among, one

_INSERT = (
    "INSERT INTO entry (arrival, log, sequence, id, header, signature, body, kind, arrived_ms)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def conversation_of(entry: Entry) -> ConversationId:
    """Where an entry belongs: a genesis founds the conversation that bears its own id."""
    if entry.header.kind == Kind.GENESIS:
        return ConversationId(entry.id)
    return entry.header.conversation


def take_entries(rows: Rows, book: Book, entries: Sequence[Entry], now_ms: int) -> list[Stored]:
    """Store what is new of `entries`, in order; raises `PeerError` before anything is unclear."""
    taken: list[Stored] = []
    inserts: list[Row] = []
    grown: dict[int, Log] = {}
    met: list[Entry] = []
    name: LogKey | None = None
    for entry in entries:
        header = entry.header
        if name != (name := header.log) or header.sequence == 1:
            log = _log_for(rows, book, entry)
            grown[log.key] = log
        if header.sequence <= log.sequence:
            met.append(entry)
            continue
        if header.sequence != log.sequence + 1:
            raise PeerError("gap", f"entry {header.sequence} after {log.sequence} of a log")
        if header.previous != log.head:
            raise PeerError("fork", f"entry {header.sequence} follows another than is held")
        arrival = book.next_arrival(rows)
        log.sequence, log.head = header.sequence, entry.id
        taken.append(Stored(arrival, log, entry, now_ms))
        inserts.append(
            (
                *(arrival, log.key, header.sequence, entry.id, entry.header_bytes),
                *(entry.signature, entry.body, header.kind, now_ms),
            )
        )
    rows.many(_INSERT, inserts)
    rows.many(
        "UPDATE log SET sequence = ?, head = ? WHERE key = ?",
        [(log.sequence, log.head, log.key) for log in grown.values()],
    )
    _meet_again(rows, met)
    return taken


def _meet_again(rows: Rows, met: Sequence[Entry]) -> None:
    """Entries at sequences that are held must be the held ones; a signature is taken from them."""
    sql = "SELECT id FROM entry WHERE id IN (??)"
    held = {row[0] for row in among(rows, sql, (entry.id for entry in met))} if met else set()
    for entry in met:
        if entry.id not in held:
            raise PeerError("fork", f"another entry {entry.header.sequence} of a log is held")
    rows.many(
        "UPDATE entry SET signature = ? WHERE id = ? AND signature IS NULL",
        [(entry.signature, entry.id) for entry in met if entry.signature is not None],
    )


def _log_for(rows: Rows, book: Book, entry: Entry) -> Log:
    header = entry.header
    key = book.new_key(rows, conversation_of(entry))
    logs = book.logs(rows, key)
    log = logs.get((header.device, header.grant))
    if log is None:
        if header.sequence != 1:
            raise PeerError("gap", f"entry {header.sequence} of a log that is not held")
        person = _opened_by(entry)
        made = one(
            rows,
            "INSERT INTO log (conversation, device, grant_id, person, sequence, head)"
            " VALUES (?, ?, ?, ?, 0, ?) RETURNING key",
            (key, header.device, header.grant, person, header.previous),
        )
        assert made is not None
        log = Log(made[0], key, header.device, header.grant, person, 0, header.previous)
        logs[header.device, header.grant] = log
    return log


def _opened_by(entry: Entry) -> PersonId:
    if entry.body is not None:
        body = decode_body(entry.header.kind, entry.body)
        if isinstance(body, Open | Genesis):
            return read_certificate(body.certificate).person
    raise PeerError("bad_open", "a log does not begin with a certificate")


def take_bodies(rows: Rows, bodies: Sequence[tuple[EntryId, bytes]]) -> list[tuple[int, EntryId]]:
    """Keep bodies that are missing, match their header and are not deleted: (conversation, id)."""
    offered = dict(bodies)
    sql = (
        "SELECT e.id, e.header, l.conversation FROM entry e JOIN log l ON l.key = e.log"
        f" WHERE e.body IS NULL AND e.dropped = 0 AND e.kind >= {FIRST_DROPPABLE_KIND}"
        " AND e.id IN (??)"
    )
    taken: list[tuple[int, EntryId]] = []
    for entry, header_bytes, conversation in among(rows, sql, offered):
        body = offered[entry]
        try:
            check_body(decode_header(header_bytes), body)
        except PeerError:
            continue
        rows.run("UPDATE entry SET body = ? WHERE id = ?", (body, entry))
        taken.append((conversation, EntryId(entry)))
    return taken


# --- giving out ---------------------------------------------------------------------------------


def heads(rows: Rows, conversation: ConversationId) -> list[HeldLog]:
    """The head of every log of a conversation, by log."""
    sql = (
        "SELECT l.device, l.grant_id, l.sequence, l.head, l.person FROM log l"
        " JOIN conversation c ON c.key = l.conversation WHERE c.id = ?"
        " ORDER BY l.device, l.grant_id"
    )
    return [
        HeldLog(LogHead(LogKey(conversation, device, grant), sequence, head), person)
        for device, grant, sequence, head, person in rows.all(sql, (conversation,))
    ]


_ENTRY = "SELECT e.id, e.header, e.signature, e.body FROM entry e"


def _entry(row: Row) -> Entry:
    return Entry(EntryId(row[0]), decode_header(row[1]), row[1], row[2], row[3])


def entry(rows: Rows, wanted: EntryId) -> Entry | None:
    """One entry."""
    row = one(rows, f"{_ENTRY} WHERE e.id = ?", (wanted,))
    return _entry(row) if row else None


def segment(rows: Rows, log: LogKey, first: int, max_bytes: int) -> list[Entry]:
    """Entries from `first` on up to one that bears a signature, within `max_bytes` if possible."""
    sql = (
        f"{_ENTRY} JOIN log l ON l.key = e.log JOIN conversation c ON c.key = l.conversation"
        " WHERE c.id = ? AND l.device = ? AND l.grant_id = ? AND e.sequence >= ?"
        " ORDER BY e.sequence LIMIT ?"
    )
    found = rows.all(sql, (*log, first, MAX_SEGMENT_ENTRIES))
    size = end = 0
    for at, (_, header, signature, body) in enumerate(found, start=1):
        size += len(header) + len(body or b"")
        if size > max_bytes and end:
            break
        if signature is not None:
            end = at
    return [_entry(row) for row in found[:end]]


def bodies(
    rows: Rows, conversation: ConversationId, ids: Iterable[EntryId], max_bytes: int
) -> list[tuple[EntryId, bytes]]:
    """The bodies of a conversation held among `ids`, the first of them whatever its size."""
    sql = (
        "SELECT e.id, e.body, c.id FROM entry e JOIN log l ON l.key = e.log"
        " JOIN conversation c ON c.key = l.conversation WHERE e.body IS NOT NULL AND e.id IN (??)"
    )
    size = 0
    given: list[tuple[EntryId, bytes]] = []
    for known, body, place in among(rows, sql, ids):
        if place != conversation:
            continue
        size += len(body)
        if size > max_bytes and given:
            break
        given.append((EntryId(known), bytes(body)))
    return given


def wanted(rows: Rows, conversation: ConversationId, limit: int) -> list[EntryId]:
    """Entries without body, those left out whose body went with a delete."""
    sql = (
        "SELECT e.id FROM log l JOIN entry e ON e.log = l.key"
        " WHERE l.conversation = (SELECT key FROM conversation WHERE id = ?)"
        " AND e.body IS NULL AND e.dropped = 0 ORDER BY e.arrival LIMIT ?"
    )
    return [EntryId(row[0]) for row in rows.all(sql, (conversation, limit))]


def wanting(rows: Rows) -> list[ConversationId]:
    """The conversations in which a body is wanted."""
    sql = (
        "SELECT DISTINCT c.id FROM entry e JOIN log l ON l.key = e.log"
        " JOIN conversation c ON c.key = l.conversation"
        " WHERE e.body IS NULL AND e.dropped = 0 ORDER BY c.id"
    )
    return [ConversationId(row[0]) for row in rows.all(sql)]
