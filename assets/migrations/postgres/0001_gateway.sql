-- What the gateway keeps, on PostgreSQL: the same tables as those of SQLite, with the same meaning, which is told there
-- (../0001_queue_and_decisions.sql, ../0002_pauses.sql, ../0003_trust.sql). Times are microseconds since 1970 in UTC.
-- Texts compare by their bytes. A file here is never changed once it has been released.

CREATE TABLE action (
    seq                 BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id                  TEXT COLLATE "C" NOT NULL UNIQUE,
    tenant              TEXT COLLATE "C" NOT NULL,
    thread              TEXT NOT NULL,
    key                 TEXT COLLATE "C" NOT NULL,
    agent               TEXT COLLATE "C" NOT NULL,
    ask_key             TEXT COLLATE "C" NOT NULL,
    submission          TEXT NOT NULL,
    sealed              TEXT NOT NULL,
    digest              TEXT NOT NULL,
    created_at          BIGINT NOT NULL,
    expires_at          BIGINT NOT NULL,
    state               TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'expired', 'cancelled')),
    ended_at            BIGINT,
    approval_expires_at BIGINT,
    consume_key         TEXT,
    consumed_at         BIGINT,
    outcome             TEXT CHECK (outcome IN ('succeeded', 'failed')),
    outcome_note        TEXT,
    reported_at         BIGINT,
    reviewers_needed    BIGINT NOT NULL DEFAULT 1,
    review_window       BIGINT NOT NULL DEFAULT 900,
    rule                TEXT,
    UNIQUE (tenant, agent, ask_key),
    UNIQUE (tenant, key),
    CHECK ((state = 'pending') = (ended_at IS NULL)),
    CHECK ((state = 'approved') = (approval_expires_at IS NOT NULL)),
    CHECK (consumed_at IS NULL OR state = 'approved'),
    CHECK (reported_at IS NULL OR consumed_at IS NOT NULL)
);

CREATE INDEX action_by_tenant ON action (tenant, seq);
CREATE INDEX action_by_state ON action (tenant, state, seq);
CREATE INDEX action_by_deadline ON action (expires_at) WHERE state = 'pending';
CREATE INDEX action_pending_by_agent ON action (tenant, agent, expires_at) WHERE state = 'pending';
CREATE INDEX action_by_rule ON action (tenant, created_at) WHERE rule IS NOT NULL;

CREATE TABLE decision (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     TEXT COLLATE "C" NOT NULL,
    thread     TEXT NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    action_id  TEXT COLLATE "C" UNIQUE REFERENCES action (id),
    status     TEXT NOT NULL CHECK (status IN ('PENDING', 'COMMITTED', 'FAILED')),
    verdict    TEXT NOT NULL CHECK (verdict IN ('approve', 'reject')),
    reviewer   TEXT NOT NULL,
    reason     TEXT,
    request_id TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    digest     TEXT,
    calls      BIGINT NOT NULL DEFAULT 0,
    UNIQUE (tenant, thread, key)
);

CREATE INDEX decision_begun ON decision (decided_at) WHERE status = 'PENDING';

CREATE TABLE call (
    tenant      TEXT COLLATE "C" NOT NULL,
    request_id  TEXT COLLATE "C" NOT NULL,
    decision_id BIGINT NOT NULL REFERENCES decision (id),
    at          BIGINT NOT NULL,
    PRIMARY KEY (tenant, request_id, decision_id)
);

CREATE INDEX call_by_request ON call (request_id);
CREATE INDEX call_by_decision ON call (decision_id);

CREATE TABLE pause (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant   TEXT COLLATE "C" NOT NULL,
    agent    TEXT COLLATE "C" NOT NULL,
    paused   BIGINT NOT NULL CHECK (paused IN (0, 1)),
    reviewer TEXT NOT NULL,
    at       BIGINT NOT NULL
);

CREATE INDEX pause_by_agent ON pause (tenant, agent, id);

CREATE TABLE approval (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     TEXT COLLATE "C" NOT NULL,
    action_id  TEXT COLLATE "C" NOT NULL REFERENCES action (id),
    status     TEXT NOT NULL CHECK (status IN ('PENDING', 'COMMITTED', 'FAILED')),
    reviewer   TEXT COLLATE "C" NOT NULL,
    reason     TEXT,
    request_id TEXT COLLATE "C" NOT NULL,
    decided_at BIGINT NOT NULL,
    digest     TEXT NOT NULL
);

CREATE UNIQUE INDEX approval_of_reviewer ON approval (action_id, reviewer) WHERE status <> 'FAILED';
CREATE INDEX approval_by_action ON approval (action_id, id);
CREATE INDEX approval_by_request ON approval (tenant, request_id);
CREATE INDEX approval_waiting ON approval (decided_at) WHERE status = 'PENDING';

CREATE TABLE outbox (
    seq         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        TEXT NOT NULL,
    tenant      TEXT COLLATE "C" NOT NULL,
    thread      TEXT NOT NULL,
    action_id   TEXT COLLATE "C" REFERENCES action (id),
    decision_id BIGINT UNIQUE REFERENCES decision (id),
    at          BIGINT NOT NULL,
    pause_id    BIGINT REFERENCES pause (id),
    approval_id BIGINT REFERENCES approval (id)
);

CREATE INDEX outbox_by_tenant ON outbox (tenant, seq);
CREATE INDEX outbox_by_action ON outbox (action_id);

CREATE TABLE token (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('agent', 'reviewer', 'auditor', 'admin')),
    hash       TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    revoked_by TEXT
);

CREATE INDEX token_by_tenant ON token (tenant, id);

CREATE TABLE audit (
    seq       BIGINT PRIMARY KEY,
    tenant    TEXT COLLATE "C" NOT NULL,
    kind      TEXT COLLATE "C" NOT NULL,
    action_id TEXT COLLATE "C",
    at        BIGINT NOT NULL,
    entry     TEXT NOT NULL,
    hash      TEXT NOT NULL
);

CREATE INDEX audit_by_action ON audit (tenant, action_id, seq) WHERE action_id IS NOT NULL;
CREATE INDEX audit_by_kind ON audit (kind, seq);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

CREATE TABLE audit_head (
    id    BIGINT PRIMARY KEY CHECK (id = 1),
    size  BIGINT NOT NULL,
    hash  TEXT NOT NULL,
    peaks TEXT NOT NULL
);
INSERT INTO audit_head (id, size, hash, peaks) VALUES (1, 0, '', '');

CREATE TABLE checkpoint (
    size BIGINT PRIMARY KEY,
    note TEXT NOT NULL,
    at   BIGINT NOT NULL
);

-- Who looks at what now. Not durable: it holds for seconds.
CREATE UNLOGGED TABLE presence (
    tenant    TEXT COLLATE "C" NOT NULL,
    reviewer  TEXT COLLATE "C" NOT NULL,
    action_id TEXT COLLATE "C" NOT NULL,
    since     BIGINT NOT NULL,
    until     BIGINT NOT NULL,
    PRIMARY KEY (tenant, reviewer)
);
