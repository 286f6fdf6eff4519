"""Up to where a person has read, and the counts of unread messages that go with it."""

from __future__ import annotations

from folkmoot.domain.ids import ZERO, ConversationId, EntryId
from folkmoot.storage.book import Book
from folkmoot.storage.rows import Rows, one


def mark_read(
    rows: Rows, book: Book, conversation: ConversationId, arrival: int, thread: EntryId | None
) -> int | None:
    """Move a read mark forward; the conversation's number if that changed what it shows."""
    key = book.key(rows, conversation)
    if key is None:
        return None
    place = (key, thread or ZERO)
    row = one(rows, "SELECT arrival FROM read_mark WHERE conversation = ? AND thread = ?", place)
    if row is not None and row[0] >= arrival:
        return None
    rows.run("INSERT OR REPLACE INTO read_mark VALUES (?, ?, ?)", (*place, arrival))
    if thread is not None:
        return None
    sql = (
        "SELECT count(*), coalesce(sum(mentioned), 0) FROM message"
        " WHERE conversation = ? AND news = 1 AND arrival > ?"
    )
    ((unread, mentions),) = rows.all(sql, (key, arrival))
    before = one(rows, "SELECT unread, mentions FROM view WHERE conversation = ?", (key,))
    if before is None or before == (unread, mentions):
        return None
    rows.run(
        "UPDATE view SET unread = ?, mentions = ? WHERE conversation = ?", (unread, mentions, key)
    )
    return key
