-- What others signed or this computer alone knows: it cannot be computed again.

CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE conversation (key INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE) STRICT;

-- One row for each log; `sequence` and `head` are those of its newest entry held.
CREATE TABLE log (
    key INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversation (key),
    device BLOB NOT NULL,
    grant_id BLOB NOT NULL,
    person BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    head BLOB NOT NULL,
    UNIQUE (conversation, device, grant_id)
) STRICT;

-- `dropped`: the body went with a delete and is not taken again.
CREATE TABLE entry (
    arrival INTEGER PRIMARY KEY AUTOINCREMENT,
    log INTEGER NOT NULL REFERENCES log (key),
    sequence INTEGER NOT NULL,
    id BLOB NOT NULL UNIQUE,
    header BLOB NOT NULL,
    signature BLOB,
    body BLOB,
    dropped INTEGER NOT NULL DEFAULT 0,
    kind INTEGER NOT NULL,
    arrived_ms INTEGER NOT NULL,
    UNIQUE (log, sequence)
) STRICT;
CREATE INDEX entry_wanted ON entry (log, arrival) WHERE body IS NULL AND dropped = 0;

CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- `thread` is 32 zero bytes for the conversation itself, here and in `read_mark`.
CREATE TABLE draft (
    conversation BLOB NOT NULL,
    thread BLOB NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (conversation, thread)
) STRICT, WITHOUT ROWID;

CREATE TABLE read_mark (
    conversation INTEGER NOT NULL REFERENCES conversation (key),
    thread BLOB NOT NULL,
    arrival INTEGER NOT NULL,
    PRIMARY KEY (conversation, thread)
) STRICT, WITHOUT ROWID;

CREATE TABLE holding (
    log INTEGER NOT NULL REFERENCES log (key),
    device BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (log, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX holding_of_device ON holding (device);

-- `device` is empty while nobody knows who answers there.
CREATE TABLE address (
    device BLOB NOT NULL,
    address TEXT NOT NULL,
    typed INTEGER NOT NULL,
    last_ok_ms INTEGER,
    PRIMARY KEY (device, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE client (client_id TEXT PRIMARY KEY, entry BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX client_of_entry ON client (entry);

-- Projections: computed from the tables above, the same bytes each time.

CREATE TABLE team (
    conversation INTEGER PRIMARY KEY REFERENCES conversation (key),
    name TEXT NOT NULL,
    visible INTEGER NOT NULL
) STRICT;

CREATE TABLE member (
    team INTEGER NOT NULL REFERENCES conversation (key),
    person BLOB NOT NULL,
    name TEXT NOT NULL,
    role INTEGER NOT NULL,
    PRIMARY KEY (team, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_person ON member (person);

CREATE TABLE device (
    team INTEGER NOT NULL REFERENCES conversation (key),
    device BLOB NOT NULL,
    person BLOB NOT NULL,
    PRIMARY KEY (team, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_person ON device (person);

-- A channel or a direct conversation (`team` null). `messages` counts its timeline.
CREATE TABLE view (
    conversation INTEGER PRIMARY KEY REFERENCES conversation (key),
    team INTEGER REFERENCES conversation (key),
    name TEXT NOT NULL,
    topic TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    unread INTEGER NOT NULL,
    mentions INTEGER NOT NULL,
    last_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE participant (
    conversation INTEGER NOT NULL REFERENCES conversation (key),
    person BLOB NOT NULL,
    PRIMARY KEY (conversation, person)
) STRICT, WITHOUT ROWID;

-- `arrival` is that of the entry. `wall_ms`, `counter`, `id`: its place in the conversation.
-- `shown`: stands in the timeline; `news`: and counts as unread past the read mark.
CREATE TABLE message (
    arrival INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    conversation INTEGER NOT NULL,
    log INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    sent_ms INTEGER NOT NULL,
    arrived_ms INTEGER NOT NULL,
    thread BLOB,
    reply BLOB,
    also INTEGER NOT NULL,
    shown INTEGER NOT NULL,
    news INTEGER NOT NULL,
    mentioned INTEGER NOT NULL,
    clock_wrong INTEGER NOT NULL,
    edited INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    missing INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX message_place ON message (conversation, shown, wall_ms, counter, id);
CREATE INDEX message_thread ON message (conversation, thread, wall_ms, counter, id)
    WHERE thread IS NOT NULL;
CREATE INDEX message_news ON message (conversation, arrival) WHERE news = 1;

CREATE TABLE thread (
    conversation INTEGER NOT NULL,
    root BLOB NOT NULL,
    replies INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (conversation, root)
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_last ON thread (conversation, last_ms, root);

-- Edits, deletes, reactions and settings as they were written; `replaces` is identifiers end to
-- end. They may be here before what they are about.
CREATE TABLE edit (
    arrival INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    conversation INTEGER NOT NULL,
    target BLOB NOT NULL,
    person BLOB NOT NULL,
    wall_ms INTEGER NOT NULL,
    text TEXT NOT NULL,
    replaces BLOB NOT NULL
) STRICT;
CREATE INDEX edit_target ON edit (target);

CREATE TABLE deletion (
    arrival INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL,
    target BLOB NOT NULL,
    person BLOB NOT NULL,
    moderates INTEGER NOT NULL
) STRICT;
CREATE INDEX deletion_target ON deletion (target);

-- `current`: the one of its (person, target, emoji) that counts, and it says "on".
CREATE TABLE reaction (
    arrival INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    conversation INTEGER NOT NULL,
    target BLOB NOT NULL,
    person BLOB NOT NULL,
    emoji TEXT NOT NULL,
    chosen INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    replaces BLOB NOT NULL,
    current INTEGER NOT NULL
) STRICT;
CREATE INDEX reaction_register ON reaction (target, person, emoji);
CREATE INDEX reaction_current ON reaction (target) WHERE current = 1;

-- Name and topic of channels; those of a team are read from its facts.
CREATE TABLE register (
    arrival INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    conversation INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    replaces BLOB NOT NULL
) STRICT;
CREATE INDEX register_key ON register (conversation, key);

-- Full text by arrival; `search_text` prepares what goes in and what is asked.
CREATE VIRTUAL TABLE words USING fts5 (
    text, content = '', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
