-- What the journal keeps, first version. Times are RFC 3339 in UTC with nine digits of a second, so that text sorts as
-- time does. PRAGMA user_version says which migrations have run, application_id that the file is a journal; a file here
-- is never changed once it has been released.

-- What was decided. A row never changes: the bytes that every try sends are on disk before the first byte leaves.
CREATE TABLE intent (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of deciding
    id         TEXT NOT NULL UNIQUE,               -- the decision's own id
    request_id TEXT NOT NULL UNIQUE,               -- the X-Request-Id of every try
    verdict    TEXT NOT NULL CHECK (verdict IN ('approve', 'reject')),
    tenant_id  TEXT,
    thread_id  TEXT NOT NULL,
    key        TEXT NOT NULL,                      -- the Idempotency-Key of every try
    base_url   TEXT NOT NULL,
    body       TEXT NOT NULL,                      -- the exact bytes of every try
    sealed     TEXT,                               -- the action as it was shown
    digest     TEXT,                               -- of those bytes
    reason     TEXT,
    reviewer   TEXT,
    decided_at TEXT NOT NULL,
    hold_until TEXT                                -- NULL: no grace
) STRICT;

CREATE INDEX intent_by_key ON intent (key);

-- How far it is. Apart from the bytes, so that an arrow rewrites a few dozen bytes and not a payload.
CREATE TABLE progress (
    seq          INTEGER PRIMARY KEY REFERENCES intent (seq),
    stage        TEXT    NOT NULL CHECK (stage IN ('held', 'queued', 'sending', 'doubtful', 'ended', 'dropped', 'returned')),
    maybe        INTEGER NOT NULL,                 -- it may have landed, and nobody knows
    in_flight    INTEGER NOT NULL,                 -- a try was started and has not been answered
    tries        INTEGER NOT NULL,                 -- that were started
    next_at      TEXT,
    outcome      TEXT,                             -- the word of `resolution`, for whoever reads with sqlite3
    resolution   TEXT,                             -- everything that is known, as JSON
    acknowledged INTEGER NOT NULL,
    returned     TEXT,                             -- why it was not sent
    holds_key    INTEGER NOT NULL,                 -- no other decision may have its key
    updated_at   TEXT    NOT NULL,
    CHECK ((stage = 'ended') = (resolution IS NOT NULL)),
    CHECK ((outcome IS NULL) = (resolution IS NULL)),
    CHECK ((stage = 'returned') = (returned IS NOT NULL)),
    CHECK (in_flight = 0 OR stage = 'sending')
) STRICT;

CREATE INDEX progress_open ON progress (seq) WHERE stage IN ('held', 'queued', 'sending', 'doubtful');

-- Every try that was answered or given up on, in order; appended only.
CREATE TABLE attempt (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    intent      INTEGER NOT NULL REFERENCES intent (seq),
    number      INTEGER NOT NULL,                  -- 1 for the first of a call; a decision sent again starts at 1 again
    http_status INTEGER,
    error       TEXT,
    started     TEXT    NOT NULL,
    took        INTEGER NOT NULL,                  -- nanoseconds
    waited      INTEGER NOT NULL                   -- nanoseconds, before it
) STRICT;

CREATE INDEX attempt_by_intent ON attempt (intent, seq);
