-- Instances of agents that a provisioner makes, and the webhooks that wake them.

-- A role more: `provisioner`. SQLite changes no CHECK, so the table is made anew; nothing refers to it yet.
CREATE TABLE token_with_provisioners (
    id         INTEGER PRIMARY KEY,
    tenant     TEXT    NOT NULL,
    name       TEXT    NOT NULL,                -- the name on record; an instance's holds a slash, and no other does
    role       TEXT    NOT NULL CHECK (role IN ('agent', 'reviewer', 'auditor', 'admin', 'provisioner')),
    hash       TEXT    NOT NULL UNIQUE,         -- SHA-256 of the token, in hex
    created_at INTEGER NOT NULL,
    created_by TEXT    NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    revoked_by TEXT
) STRICT;
INSERT INTO token_with_provisioners SELECT id, tenant, name, role, hash, created_at, created_by, expires_at, revoked_at,
    revoked_by FROM token;
DROP TABLE token;
ALTER TABLE token_with_provisioners RENAME TO token;
CREATE INDEX token_by_tenant ON token (tenant, id);

CREATE TABLE instance (
    id              TEXT    NOT NULL PRIMARY KEY,
    tenant          TEXT    NOT NULL,
    provisioner     TEXT    NOT NULL,           -- the name of the credential that made it
    key             TEXT    NOT NULL,           -- the Idempotency-Key of the making
    digest          TEXT    NOT NULL,           -- of what was asked for, to know it again
    agent           TEXT    NOT NULL,           -- the name of its credential: PROVISIONER/NAME
    token_id        INTEGER NOT NULL UNIQUE REFERENCES token (id),
    created_at      INTEGER NOT NULL,
    delivery        TEXT    NOT NULL CHECK (delivery IN ('none', 'on', 'ended')),
    url             TEXT,
    host            TEXT,                       -- of the URL, with its port: what is bounded together
    registration_id TEXT,
    signing_secret  TEXT,                       -- as it was given, because it signs; gone once nothing is delivered any more
    UNIQUE (tenant, provisioner, key),
    UNIQUE (tenant, agent),
    CHECK ((delivery = 'on') = (signing_secret IS NOT NULL)),
    CHECK (delivery = 'none' OR (url IS NOT NULL AND host IS NOT NULL AND registration_id IS NOT NULL))
) STRICT;

-- What an instance's receiver is to be told: that one of its requests has ended. Written in the transaction that ended it.
CREATE TABLE delivery (
    id          TEXT    NOT NULL PRIMARY KEY,   -- webhook-id, the same in every try
    instance_id TEXT    NOT NULL REFERENCES instance (id),
    action_id   TEXT    NOT NULL UNIQUE REFERENCES action (id),
    host        TEXT    NOT NULL,
    resolved_at INTEGER NOT NULL,               -- when the request ended
    state       TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
    tries       INTEGER NOT NULL DEFAULT 0,     -- counted when one begins
    next_at     INTEGER NOT NULL,               -- of the next try; during one, when it counts as lost
    ended_at    INTEGER,
    CHECK ((state = 'waiting') = (ended_at IS NULL))
) STRICT;

CREATE INDEX delivery_due ON delivery (next_at) WHERE state = 'waiting';
CREATE INDEX delivery_due_by_host ON delivery (host, next_at) WHERE state = 'waiting';
CREATE INDEX delivery_by_instance ON delivery (instance_id) WHERE state = 'waiting';
