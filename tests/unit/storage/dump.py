"""Every row of the projections, for comparing two stores or one before and after."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from folkmoot.storage.projection import PROJECTIONS

_LOCAL = ("setting", "draft", "read_mark", "holding", "address", "client", "meta", "recording")
_BASE = ("conversation", "log", "entry")


def dump(path: Path, tables: tuple[str, ...] = PROJECTIONS) -> dict[str, list[tuple[object, ...]]]:
    """Rows by table, as the file holds them, and the full-text index word by word."""
    connection = sqlite3.connect(path)
    try:
        rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
        connection.execute("CREATE VIRTUAL TABLE temp.word USING fts5vocab(main, words, instance)")
        rows["words"] = connection.execute("SELECT * FROM word").fetchall()
        return rows
    finally:
        connection.close()


def dump_base(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Rows that no rebuild may touch."""
    return dump(path, (*_LOCAL, *_BASE))


def portable(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """The projections with local numbers and arrivals replaced by what they stand for."""
    connection = sqlite3.connect(path)
    try:
        return {
            name: sorted(connection.execute(sql).fetchall(), key=repr)
            for name, sql in _PORTABLE.items()
        }
    finally:
        connection.close()


_PORTABLE = {
    "team": "SELECT c.id, t.name, t.visible FROM team t JOIN conversation c"
    " ON c.key = t.conversation",
    "member": "SELECT c.id, m.person, m.name, m.role FROM member m JOIN conversation c"
    " ON c.key = m.team",
    "view": "SELECT c.id, t.id, v.name, v.topic, v.created_ms, v.messages, v.unread, v.mentions,"
    " v.last_ms FROM view v JOIN conversation c ON c.key = v.conversation"
    " LEFT JOIN conversation t ON t.key = v.team",
    "participant": "SELECT c.id, p.person FROM participant p JOIN conversation c"
    " ON c.key = p.conversation",
    "message": "SELECT m.id, c.id, l.device, m.sequence, m.wall_ms, m.counter, m.sent_ms,"
    " m.thread, m.reply, m.also, m.shown, m.news, m.mentioned, m.edited, m.deleted, m.missing,"
    " m.text, m.call FROM message m JOIN conversation c ON c.key = m.conversation"
    " JOIN log l ON l.key = m.log",
    "thread": "SELECT c.id, t.root, t.replies, t.last_ms FROM thread t JOIN conversation c"
    " ON c.key = t.conversation",
    "reaction": "SELECT id, target, person, emoji, current FROM reaction",
    "register": "SELECT id, key, value FROM register",
    "edit": "SELECT id, target, person, text FROM edit",
    "deletion": "SELECT e.id, d.target FROM deletion d JOIN entry e ON e.arrival = d.arrival",
    "call": "SELECT id, call, state, video, persons, seconds FROM call",
    "recorded": "SELECT id, call, person, device, state, seconds FROM recorded",
    "body": "SELECT id, body FROM entry",
}
