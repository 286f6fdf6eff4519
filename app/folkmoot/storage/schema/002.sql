-- Calls in the log: what was written of their start and end, and the cards in the timeline.

-- A card is a row of `message`; `call` there is null for messages, empty where it is not known
-- which call an entry is about (no body, deleted, a state of a later version). A row with a call
-- that is not `shown` is no card: an end, or a second start.
ALTER TABLE message ADD COLUMN call BLOB;
CREATE INDEX message_call ON message (wall_ms, counter, id) WHERE call IS NOT NULL AND shown = 1;

-- `person` wrote it; `wall_ms`, `counter`: as they were written. `persons` is identifiers end to
-- end.
CREATE TABLE call (
    arrival INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    conversation INTEGER NOT NULL,
    call BLOB NOT NULL,
    person BLOB NOT NULL,
    state INTEGER NOT NULL,
    video INTEGER NOT NULL,
    persons BLOB NOT NULL,
    seconds INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    counter INTEGER NOT NULL
) STRICT;
CREATE INDEX call_states ON call (call, conversation);

-- Version 1 kept calls without effect: where some are held, everything is computed again.
INSERT INTO meta SELECT 'rebuild', x'' WHERE EXISTS (SELECT 1 FROM entry WHERE kind = 66);
