-- Since when a decision may have been at the server: a server whose janitor opens keys again (wire.md, part 1) must not be
-- sent it again by itself for much longer. Of what an older version left, the time of the decision is the earliest that
-- it can have been.
ALTER TABLE progress ADD COLUMN reached_at TEXT;      -- the first try of those that may have got there; NULL: none has

UPDATE progress SET reached_at = (SELECT decided_at FROM intent WHERE intent.seq = progress.seq) WHERE maybe OR in_flight;
