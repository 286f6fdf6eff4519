"""Deleted words leave the index in many small steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot.storage import forgetting
from folkmoot.storage.database import ConnectionRows, Database


def test_deleted_words_leave_the_index_in_small_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "_PAGES", 2)
    database = Database(tmp_path / "store.sqlite3")
    with database.engine.connect() as connection:
        rows = ConnectionRows(connection)
        text = " ".join(f"filler{number}" for number in range(2000))
        for number in range(1, 9):
            rows.run("INSERT INTO words (rowid, text) VALUES (?, ?)", (number, f"{text} x{number}"))
        gone = "xyloquartz"
        rows.run("INSERT INTO words (rowid, text) VALUES (?, ?)", (9, gone))
        rows.run("INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)", (9, gone))
        assert not forgetting.forget_step(rows)
        forgetting.words_are_stale(rows)
        steps = 1
        while forgetting.forget_step(rows):
            steps += 1
            assert steps < 1000
        assert steps > 3
        assert not forgetting.forget_step(rows)
        left = b"".join(row[0] for row in rows.all("SELECT block FROM words_data"))
        assert b"yloquartz" not in left
        assert rows.all("SELECT rowid FROM words WHERE words MATCH 'x3'") == [(3,)]
    database.dispose()
