"""Heads of registers: what a new edit, reaction or setting must say it replaces."""

from __future__ import annotations

from folkmoot.domain.bodies import MessageBody, Set
from folkmoot.domain.entry import Kind
from folkmoot.domain.fold import PROFILE_PREFIX
from folkmoot.domain.ids import ConversationId, EntryId, PersonId
from folkmoot.domain.registers import Write, heads
from folkmoot.domain.team import Act
from folkmoot.protocol.bodies import decode_body
from folkmoot.services.values import Revision
from folkmoot.storage.book import Book, Team
from folkmoot.storage.messages import split_ids
from folkmoot.storage.rows import Row, Rows, one


def _heads(written: list[Row]) -> list[EntryId]:
    return list(heads(Write(EntryId(row[0]), split_ids(row[1])) for row in written))


def edit_heads(rows: Rows, message: EntryId) -> list[EntryId]:
    """Edits by the message's author that no other replaces."""
    sql = (
        "SELECT d.id, d.replaces FROM edit d JOIN entry e ON e.id = d.target"
        " JOIN log l ON l.key = e.log AND l.person = d.person AND l.conversation = d.conversation"
        " WHERE d.target = ?"
    )
    return _heads(rows.all(sql, (message,)))


def react_heads(rows: Rows, message: EntryId, person: PersonId, emoji: str) -> list[EntryId]:
    """Reactions of one person with one emoji that no other replaces."""
    sql = (
        "SELECT r.id, r.replaces FROM reaction r JOIN entry e ON e.id = r.target"
        " JOIN log l ON l.key = e.log AND l.conversation = r.conversation"
        " WHERE r.target = ? AND r.person = ? AND r.emoji = ?"
    )
    return _heads(rows.all(sql, (message, person, emoji)))


def set_heads(
    rows: Rows, book: Book, conversation: ConversationId, person: PersonId, key: str
) -> list[EntryId]:
    """Settings of one key that no other replaces; of a team they are among its facts."""
    team = book.teams(rows).get(conversation)
    if team is not None:
        return _team_heads(team, person, key)
    sql = (
        "SELECT r.id, r.replaces FROM register r JOIN conversation c ON c.key = r.conversation"
        " WHERE c.id = ? AND r.key = ?"
    )
    return _heads(rows.all(sql, (conversation, key)))


def _team_heads(team: Team, person: PersonId, key: str) -> list[EntryId]:
    assert team.state is not None
    profile = key.startswith(PROFILE_PREFIX)
    act = Act.SET_PROFILE if profile else Act.MANAGE_TEAM
    written = []
    for fact in team.facts.values():
        grant = team.state.grants.get(fact.header.grant)
        if not isinstance(fact.body, Set) or fact.body.key != key or grant is None:
            continue
        if grant.may(act) and (not profile or grant.person == person):
            written.append(Write(fact.entry_id, fact.body.replaces))
    return list(heads(written))


def revisions(rows: Rows, message: EntryId) -> list[Revision]:
    """The text as it was sent, then as edited, by the time written in the edits."""
    row = one(
        rows,
        "SELECT m.arrival, m.sent_ms, m.deleted, l.person, e.body, e.kind FROM entry e"
        " JOIN message m ON m.arrival = e.arrival JOIN log l ON l.key = m.log WHERE e.id = ?",
        (message,),
    )
    if row is None or row[2] or row[5] != Kind.MESSAGE:
        return []
    sql = "SELECT text, wall_ms FROM edit WHERE target = ? AND person = ? ORDER BY wall_ms, id"
    edits = [Revision(text, at_ms) for text, at_ms in rows.all(sql, (message, row[3]))]
    return [*_first_text(row[4], row[1]), *edits]


def _first_text(body: bytes | None, sent_ms: int) -> list[Revision]:
    if body is None:
        return []
    read = decode_body(Kind.MESSAGE, body)
    return [Revision(read.text, sent_ms)] if isinstance(read, MessageBody) else []
