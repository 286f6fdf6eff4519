"""Takes the words of deleted messages out of the file, not only out of sight.

A full-text index keeps what was taken out of it until the segments that hold it are merged into
one. That is done here in small steps, each short enough to stand between two commits; where it
stands is kept in the file. Refuses to merge while nothing was deleted.
"""

from __future__ import annotations

from folkmoot.storage.rows import Rows, one

_KEY = "stale_words"
_MARKED, _MERGING = b"marked", b"merging"
_PAGES = 64
"""Pages of the index that one step writes: 13 ms at most were measured."""


def words_are_stale(rows: Rows) -> None:
    """Something was deleted: a merge has to begin from the start."""
    rows.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_KEY, _MARKED))


def forget_step(rows: Rows) -> bool:
    """Merge a little; whether there is more to do. (SQLite, FTS5, section 6.8: 'merge'.)"""
    row = one(rows, "SELECT value FROM meta WHERE key = ?", (_KEY,))
    if row is None:
        return False
    before = _changes(rows)
    # A negative number begins to merge all there is into one; positive ones go on with it.
    pages = -_PAGES if row[0] == _MARKED else _PAGES
    rows.run("INSERT INTO words (words, rank) VALUES ('merge', ?)", (pages,))
    if _changes(rows) - before < 2:
        rows.run("DELETE FROM meta WHERE key = ?", (_KEY,))
        return False
    if row[0] == _MARKED:
        rows.run("UPDATE meta SET value = ? WHERE key = ?", (_MERGING, _KEY))
    return True


def _changes(rows: Rows) -> int:
    changes: int = rows.all("SELECT total_changes()")[0][0]
    return changes
