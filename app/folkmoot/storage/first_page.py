"""The last conversation as it was left, for the first paint, before the node is up.

Reads with the standard library's driver and read-only, so that nothing heavy is imported. Whatever
is wrong with the store is told by the node that opens it after; here it only means "nothing yet".
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from folkmoot.domain.ids import ConversationId, DeviceId, PersonId
from folkmoot.services.values import Conversation, FirstPage, Role, Team
from folkmoot.storage.local import (
    LAST_CONVERSATION,
    LAST_TEAM,
    OWN_NAME,
    drafts,
    setting,
    settings,
)
from folkmoot.storage.reading import Reading
from folkmoot.storage.rows import SCHEMA_VERSION, Row, one

FIRST_PAGE_MESSAGES = 64
_ROLES = tuple(Role)
"""By the number of the level."""


class _PlainRows:
    """`Rows` on the plain driver, for reading only."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(sql, tuple(parameters)).fetchall()

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self._connection.execute(sql, tuple(parameters))

    def many(self, sql: str, rows: Sequence[Row]) -> None:
        self._connection.executemany(sql, rows)


def read_first_page(path: Path) -> FirstPage | None:
    """The first page of the store at `path`; None if there is none that can be read now."""
    if not path.is_file():
        return None
    connection = None
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=0.2)
        connection.execute("BEGIN")
        if connection.execute("PRAGMA user_version").fetchone()[0] > SCHEMA_VERSION:
            return None  # what it holds cannot be known
        return _read(_PlainRows(connection))
    except sqlite3.Error:
        return None
    finally:
        if connection is not None:
            connection.close()


def _read(rows: _PlainRows) -> FirstPage | None:
    sql = "SELECT key, value FROM meta WHERE key IN ('me', 'device')"
    owner: dict[str, bytes] = dict(rows.all(sql))
    if len(owner) != 2:
        return None
    me = PersonId(owner["me"])
    reading = Reading(rows, me, DeviceId(owner["device"]))
    conversations = reading.conversations()
    shown = _last_open(rows, conversations)
    teams = _teams(rows, me)
    return FirstPage(
        me=me,
        name=_name(rows, me),
        teams=teams,
        team=_team(rows, shown, teams),
        conversations=tuple(conversations),
        conversation=shown.id if shown else None,
        page=reading.page(shown.id, limit=FIRST_PAGE_MESSAGES) if shown else None,
        drafts=tuple(drafts(rows)),
        settings=tuple(settings(rows, "window.").items()),
    )


def _teams(rows: _PlainRows, me: PersonId) -> tuple[Team, ...]:
    """The teams of this person, by name."""
    sql = (
        "SELECT c.id, t.name, m.role, t.visible, (SELECT count(*) FROM member o"
        " WHERE o.team = t.conversation) FROM team t JOIN conversation c ON c.key = t.conversation"
        " JOIN member m ON m.team = t.conversation AND m.person = ?"
    )
    teams = [
        Team(ConversationId(id), name, _ROLES[role], members, bool(visible))
        for id, name, role, visible, members in rows.all(sql, (me,))
    ]
    return tuple(sorted(teams, key=lambda team: (team.name.casefold(), team.id)))


def _team(
    rows: _PlainRows, shown: Conversation | None, teams: tuple[Team, ...]
) -> ConversationId | None:
    """The team last open, if it is still one of ours."""
    last = setting(rows, LAST_TEAM)
    for team in teams:
        if team.id.hex() == last:
            return team.id
    if shown is not None and shown.team is not None:
        return shown.team
    return teams[0].id if teams else None


def _name(rows: _PlainRows, me: PersonId) -> str:
    """The name chosen on this computer, else what a team knows."""
    sql = "SELECT name FROM member WHERE person = ? ORDER BY team LIMIT 1"
    known = one(rows, sql, (me,))
    return setting(rows, OWN_NAME) or (known[0] if known else "")


def _last_open(rows: _PlainRows, conversations: Sequence[Conversation]) -> Conversation | None:
    """The conversation that was open last, else the one where something happened last."""
    last = setting(rows, LAST_CONVERSATION)
    by_id = {conversation.id.hex(): conversation for conversation in conversations}
    if last in by_id:
        return by_id[last]
    return max(conversations, key=lambda held: held.last_activity_ms, default=None)
