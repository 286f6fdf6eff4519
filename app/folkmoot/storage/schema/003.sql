-- Recordings of calls: who recorded which call, by the log; and those that this person made.

-- A projection: what entries of kind 67 say. `device` and `person` wrote it.
CREATE TABLE recorded (
    arrival INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    conversation INTEGER NOT NULL,
    call BLOB NOT NULL,
    person BLOB NOT NULL,
    device BLOB NOT NULL,
    state INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    counter INTEGER NOT NULL
) STRICT;
CREATE INDEX recorded_call ON recorded (call, conversation);

-- Local: the files. `conversation` is its identifier; `persons` is identifiers end to end; `names`
-- and `chapters` are JSON: texts, and [seconds, kind, text].
CREATE TABLE recording (
    id TEXT PRIMARY KEY,
    call BLOB NOT NULL,
    conversation BLOB NOT NULL,
    path TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    duration_s REAL NOT NULL,
    size_bytes INTEGER NOT NULL,
    persons BLOB NOT NULL,
    names TEXT NOT NULL,
    chapters TEXT NOT NULL,
    state TEXT NOT NULL
) STRICT;

-- Earlier versions kept entries of recordings without effect: with some, all is computed again.
INSERT OR REPLACE INTO meta SELECT 'rebuild', x'' WHERE EXISTS (SELECT 1 FROM entry WHERE kind = 67);
