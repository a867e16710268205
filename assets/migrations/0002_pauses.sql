-- Pausing an agent, and counting what it has pending.

-- Every time an agent was paused or resumed, in order; appended only. An agent's last row says how it is now.
CREATE TABLE pause (
    id       INTEGER PRIMARY KEY,
    tenant   TEXT    NOT NULL,
    agent    TEXT    NOT NULL,                          -- the name of the credential
    paused   INTEGER NOT NULL CHECK (paused IN (0, 1)), -- 0: resumed
    reviewer TEXT    NOT NULL,                          -- the name of the credential that did it
    at       INTEGER NOT NULL
) STRICT;

CREATE INDEX pause_by_agent ON pause (tenant, agent, id);

-- An event about an agent names the pause or the resumption; one about an action has NULL here.
ALTER TABLE outbox ADD COLUMN pause_id INTEGER REFERENCES pause (id);

CREATE INDEX action_pending_by_agent ON action (tenant, agent, expires_at) WHERE state = 'pending';
