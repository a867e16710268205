-- People, several reviewers, rules, and the audit log.

-- How many distinct reviewers must approve, and within how many seconds of the first of them.
ALTER TABLE action ADD COLUMN reviewers_needed INTEGER NOT NULL DEFAULT 1;
ALTER TABLE action ADD COLUMN review_window    INTEGER NOT NULL DEFAULT 900;
-- The rule that allowed it without a person.
ALTER TABLE action ADD COLUMN rule             TEXT;

CREATE INDEX action_by_rule ON action (tenant, created_at) WHERE rule IS NOT NULL;

-- Approvals of an action that needs more than one. PENDING until the action is decided, then COMMITTED where it was
-- approved; FAILED where the window passed, and then the same reviewer may approve again.
CREATE TABLE approval (
    id         INTEGER PRIMARY KEY,
    tenant     TEXT    NOT NULL,
    action_id  TEXT    NOT NULL REFERENCES action (id),
    status     TEXT    NOT NULL CHECK (status IN ('PENDING', 'COMMITTED', 'FAILED')),
    reviewer   TEXT    NOT NULL,
    reason     TEXT,
    request_id TEXT    NOT NULL,
    decided_at INTEGER NOT NULL,
    digest     TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX approval_of_reviewer ON approval (action_id, reviewer) WHERE status <> 'FAILED';
CREATE INDEX approval_by_action ON approval (action_id, id);
CREATE INDEX approval_by_request ON approval (tenant, request_id);
CREATE INDEX approval_waiting ON approval (decided_at) WHERE status = 'PENDING';

-- Credentials. The token itself is kept nowhere.
CREATE TABLE token (
    id         INTEGER PRIMARY KEY,
    tenant     TEXT    NOT NULL,
    name       TEXT    NOT NULL,                -- the name on record
    role       TEXT    NOT NULL CHECK (role IN ('agent', 'reviewer', 'auditor', 'admin')),
    hash       TEXT    NOT NULL UNIQUE,         -- SHA-256 of the token, in hex
    created_at INTEGER NOT NULL,
    created_by TEXT    NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    revoked_by TEXT
) STRICT;

CREATE INDEX token_by_tenant ON token (tenant, id);

-- What happened, in order, each row bound to the one before it. Nothing here is changed or taken away.
CREATE TABLE audit (
    seq       INTEGER PRIMARY KEY,              -- from 1, without gaps
    tenant    TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    action_id TEXT,                             -- not a reference: actions are forgotten, this is not
    at        INTEGER NOT NULL,
    entry     TEXT    NOT NULL,                 -- the exact bytes that are hashed; it says all of the above again
    hash      TEXT    NOT NULL                  -- RFC 9162 leaf hash of `entry`, in hex
) STRICT;

CREATE INDEX audit_by_action ON audit (tenant, action_id, seq) WHERE action_id IS NOT NULL;
CREATE INDEX audit_by_kind ON audit (kind, seq);

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_taken_away BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- Where the log ends: one row.
CREATE TABLE audit_head (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    size  INTEGER NOT NULL,                     -- rows in `audit`
    hash  TEXT    NOT NULL,                     -- of the last row; empty before the first
    peaks TEXT    NOT NULL                      -- roots of the perfect subtrees over all leaves, largest first, in hex, with blanks between
) STRICT;
INSERT INTO audit_head (id, size, hash, peaks) VALUES (1, 0, '', '');

-- Signed checkpoints, each over the first `size` rows.
CREATE TABLE checkpoint (
    size INTEGER PRIMARY KEY,
    note TEXT    NOT NULL,
    at   INTEGER NOT NULL
) STRICT;

-- Who looks at what now. It holds for seconds.
CREATE TABLE presence (
    tenant    TEXT    NOT NULL,
    reviewer  TEXT    NOT NULL,
    action_id TEXT    NOT NULL,
    since     INTEGER NOT NULL,
    until     INTEGER NOT NULL,
    PRIMARY KEY (tenant, reviewer)
) STRICT, WITHOUT ROWID;

-- Decisions that a server has begun and not ended.
CREATE INDEX decision_begun ON decision (decided_at) WHERE status = 'PENDING';

-- An event about an approval of several names it.
ALTER TABLE outbox ADD COLUMN approval_id INTEGER REFERENCES approval (id);
