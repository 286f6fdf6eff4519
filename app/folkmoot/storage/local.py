"""Drafts and settings: what only this computer knows and the first paint needs."""

from __future__ import annotations

from folkmoot.domain.ids import ZERO, EntryId
from folkmoot.services.values import Draft
from folkmoot.storage.rows import Rows, one

LAST_CONVERSATION = "window.conversation"
"""The setting that says in hexadecimal which conversation the window had open."""
LAST_TEAM = "window.team"
"""The same for the team."""
OWN_NAME = "identity.name"
"""The setting with the name that the person chose (`services.identity`)."""


def save_draft(rows: Rows, draft: Draft) -> None:
    """Keep unsent text; an empty one is forgotten."""
    place = (draft.conversation, draft.thread or ZERO)
    if draft.text:
        rows.run("INSERT OR REPLACE INTO draft VALUES (?, ?, ?)", (*place, draft.text))
    else:
        rows.run("DELETE FROM draft WHERE conversation = ? AND thread = ?", place)


def drafts(rows: Rows) -> list[Draft]:
    """All drafts."""
    found = rows.all("SELECT conversation, thread, text FROM draft ORDER BY conversation, thread")
    return [Draft(c, None if t == ZERO else EntryId(t), text) for c, t, text in found]


def setting(rows: Rows, key: str) -> str | None:
    """A local setting."""
    row = one(rows, "SELECT value FROM setting WHERE key = ?", (key,))
    return str(row[0]) if row else None


def set_setting(rows: Rows, key: str, value: str | None) -> None:
    """Keep or forget a local setting."""
    if value is None:
        rows.run("DELETE FROM setting WHERE key = ?", (key,))
    else:
        rows.run("INSERT OR REPLACE INTO setting VALUES (?, ?)", (key, value))


def settings(rows: Rows, prefix: str) -> dict[str, str]:
    """Local settings whose key begins with `prefix`."""
    sql = "SELECT key, value FROM setting WHERE substr(key, 1, ?) = ? ORDER BY key"
    return dict(rows.all(sql, (len(prefix), prefix)))
