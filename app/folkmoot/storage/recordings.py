"""The recordings that this person made: what is kept of each file. Local, in no log."""

from __future__ import annotations

import json

from folkmoot.domain.ids import ConversationId, PersonId
from folkmoot.services.call_values import CallId, Chapter, Recording
from folkmoot.storage.rows import Row, Rows

_COLUMNS = (
    "id, call, conversation, path, started_ms, duration_s, size_bytes, persons, names, chapters,"
    " state"
)


def save(rows: Rows, recording: Recording) -> None:
    """Keep how a recording is now."""
    chapters = [(one.at_s, one.kind, one.text) for one in recording.chapters]
    row = (
        *(recording.id, recording.call, recording.conversation, recording.path),
        *(recording.started_at_ms, recording.duration_s, recording.size_bytes),
        *(b"".join(recording.participants), json.dumps(recording.names), json.dumps(chapters)),
        recording.state,
    )
    rows.run(f"INSERT OR REPLACE INTO recording ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)", row)


def held(rows: Rows) -> list[Recording]:
    """All of them, the newest first."""
    found = rows.all(f"SELECT {_COLUMNS} FROM recording ORDER BY started_ms DESC, id")
    return [_read(row) for row in found]


def forget(rows: Rows, id: str) -> None:
    """Keep one no more."""
    rows.run("DELETE FROM recording WHERE id = ?", (id,))


def _read(row: Row) -> Recording:
    id, call, conversation, path, started_ms, duration_s, size_bytes, *rest = row
    persons, names, chapters, state = rest
    return Recording(
        id=id,
        call=CallId(call),
        conversation=ConversationId(conversation),
        path=path,
        started_at_ms=started_ms,
        duration_s=duration_s,
        size_bytes=size_bytes,
        names=tuple(json.loads(names)),
        participants=tuple(PersonId(persons[at : at + 32]) for at in range(0, len(persons), 32)),
        chapters=tuple(Chapter(*one) for one in json.loads(chapters)),
        state=state,
    )
