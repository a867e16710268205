-- What forgetting needs to be quick: finding what ended long ago, and the rows that go with it. Without these, each row that
-- goes has SQLite read whole tables to see that nothing refers to it.
CREATE INDEX action_by_end ON action (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX decision_unasked ON decision (decided_at) WHERE action_id IS NULL;
CREATE INDEX call_by_decision ON call (decision_id);
CREATE INDEX outbox_by_action ON outbox (action_id) WHERE action_id IS NOT NULL;
CREATE INDEX outbox_by_approval ON outbox (approval_id) WHERE approval_id IS NOT NULL;
