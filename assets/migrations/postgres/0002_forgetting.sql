-- What forgetting needs to be quick: see ../0004_forgetting.sql.
CREATE INDEX action_by_end ON action (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX decision_unasked ON decision (decided_at) WHERE action_id IS NULL;
CREATE INDEX outbox_by_approval ON outbox (approval_id) WHERE approval_id IS NOT NULL;
