"""What the self-test asks of a store's file beside the store: words, journal, version.

Only for a file that nobody writes to. Refuses to change it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from folkmoot.storage.search_text import searchable


def find_texts(path: Path, words: str) -> list[str]:
    """The texts of the messages in which the full-text index has all of `words`."""
    with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as connection:
        found = connection.execute(
            "SELECT message.text FROM words JOIN message ON message.arrival = words.rowid "
            "WHERE words MATCH ? ORDER BY words.rowid",
            (searchable(words),),
        ).fetchall()
    connection.close()
    return [str(row[0]) for row in found]


def describe(path: Path) -> tuple[str, str]:
    """The version of SQLite, and how the file keeps its journal (``wal``)."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        mode = str(connection.execute("PRAGMA journal_mode").fetchone()[0])
    finally:
        connection.close()
    return sqlite3.sqlite_version, mode
