-- What the gateway keeps, first version. Times are microseconds since 1970 in UTC. PRAGMA user_version says which
-- migrations have run; a file here is never changed once it has been released.

-- What agents asked for. Nothing but the columns from `state` on ever changes.
CREATE TABLE action (
    seq                 INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of asking; the cursor of a page
    id                  TEXT    NOT NULL UNIQUE,            -- the AAP request's id
    tenant              TEXT    NOT NULL,
    thread              TEXT    NOT NULL,
    key                 TEXT    NOT NULL,                   -- the Idempotency-Key of every decision on it
    agent               TEXT    NOT NULL,                   -- the name of the credential that asked
    ask_key             TEXT    NOT NULL,                   -- the Idempotency-Key of the asking
    submission          TEXT    NOT NULL,                   -- the bytes that the agent sent
    sealed              TEXT    NOT NULL,                   -- the bytes that a reviewer judges by
    digest              TEXT    NOT NULL,                   -- of those bytes
    created_at          INTEGER NOT NULL,
    expires_at          INTEGER NOT NULL,
    state               TEXT    NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'expired', 'cancelled')),
    ended_at            INTEGER,                            -- decided, expired or withdrawn
    approval_expires_at INTEGER,                            -- an approval not consumed by then is void
    consume_key         TEXT,
    consumed_at         INTEGER,
    outcome             TEXT    CHECK (outcome IN ('succeeded', 'failed')),
    outcome_note        TEXT,
    reported_at         INTEGER,
    UNIQUE (tenant, agent, ask_key),
    UNIQUE (tenant, key),
    CHECK ((state = 'pending') = (ended_at IS NULL)),
    CHECK ((state = 'approved') = (approval_expires_at IS NOT NULL)),
    CHECK (consumed_at IS NULL OR state = 'approved'),
    CHECK (reported_at IS NULL OR consumed_at IS NOT NULL)
) STRICT;

CREATE INDEX action_by_tenant ON action (tenant, seq);
CREATE INDEX action_by_state ON action (tenant, state, seq);
CREATE INDEX action_by_deadline ON action (expires_at) WHERE state = 'pending';

-- What was decided: one row for a key, and one for an action whatever the key.
CREATE TABLE decision (
    id         INTEGER PRIMARY KEY,
    tenant     TEXT    NOT NULL,
    thread     TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    action_id  TEXT    UNIQUE REFERENCES action (id),  -- NULL: nobody had asked
    status     TEXT    NOT NULL CHECK (status IN ('PENDING', 'COMMITTED', 'FAILED')),
    verdict    TEXT    NOT NULL CHECK (verdict IN ('approve', 'reject')),
    reviewer   TEXT    NOT NULL,                       -- the credential's name, never the body's word
    reason     TEXT,
    request_id TEXT    NOT NULL,                       -- the X-Request-Id of the call that decided
    decided_at INTEGER NOT NULL,
    digest     TEXT,                                   -- what the caller had seen, where it said so
    calls      INTEGER NOT NULL DEFAULT 0,             -- rows in `call`, which are bounded
    UNIQUE (tenant, thread, key)
) STRICT;

-- Every request id that was seen under a key, so that each of those callers can ask what stands.
CREATE TABLE call (
    tenant      TEXT    NOT NULL,
    request_id  TEXT    NOT NULL,
    decision_id INTEGER NOT NULL REFERENCES decision (id),
    at          INTEGER NOT NULL,
    PRIMARY KEY (tenant, request_id, decision_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX call_by_request ON call (request_id);

-- What happened, in order, written in the transaction that did it. Exactly one row for each committed decision.
CREATE TABLE outbox (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,  -- the id of the event on the wire
    kind        TEXT    NOT NULL,
    tenant      TEXT    NOT NULL,
    thread      TEXT    NOT NULL,
    action_id   TEXT    REFERENCES action (id),
    decision_id INTEGER UNIQUE REFERENCES decision (id),
    at          INTEGER NOT NULL
) STRICT;

CREATE INDEX outbox_by_tenant ON outbox (tenant, seq);
