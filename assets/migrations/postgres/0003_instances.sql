-- Instances of agents, and the webhooks that wake them: see ../0005_instances.sql.

ALTER TABLE token DROP CONSTRAINT token_role_check;
ALTER TABLE token ADD CONSTRAINT token_role_check
    CHECK (role IN ('agent', 'reviewer', 'auditor', 'admin', 'provisioner'));

CREATE TABLE instance (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant          TEXT COLLATE "C" NOT NULL,
    provisioner     TEXT COLLATE "C" NOT NULL,
    key             TEXT COLLATE "C" NOT NULL,
    digest          TEXT NOT NULL,
    agent           TEXT COLLATE "C" NOT NULL,
    token_id        BIGINT NOT NULL UNIQUE REFERENCES token (id),
    created_at      BIGINT NOT NULL,
    delivery        TEXT NOT NULL CHECK (delivery IN ('none', 'on', 'ended')),
    url             TEXT,
    host            TEXT COLLATE "C",
    registration_id TEXT,
    signing_secret  TEXT,
    UNIQUE (tenant, provisioner, key),
    UNIQUE (tenant, agent),
    CHECK ((delivery = 'on') = (signing_secret IS NOT NULL)),
    CHECK (delivery = 'none' OR (url IS NOT NULL AND host IS NOT NULL AND registration_id IS NOT NULL))
);

CREATE TABLE delivery (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    instance_id TEXT COLLATE "C" NOT NULL REFERENCES instance (id),
    action_id   TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES action (id),
    host        TEXT COLLATE "C" NOT NULL,
    resolved_at BIGINT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
    tries       BIGINT NOT NULL DEFAULT 0,
    next_at     BIGINT NOT NULL,
    ended_at    BIGINT,
    CHECK ((state = 'waiting') = (ended_at IS NULL))
);

CREATE INDEX delivery_due ON delivery (next_at) WHERE state = 'waiting';
CREATE INDEX delivery_due_by_host ON delivery (host, next_at) WHERE state = 'waiting';
CREATE INDEX delivery_by_instance ON delivery (instance_id) WHERE state = 'waiting';
