-- What replication remembers on the primary. Nothing here is written by an application, except that the triggers of
-- capture add lines to twinstore.change in its own transactions: a line is added and never updated, so that no
-- transaction of an application waits for ours or fails because of it, at any isolation level.

-- Datasets whose writes are captured.
CREATE TABLE IF NOT EXISTS twinstore.capture (
  dataset text PRIMARY KEY,
  relation oid NOT NULL,  -- the table as it was: one that was dropped and made again has another
  since timestamptz NOT NULL DEFAULT now(),
  base bigint NOT NULL DEFAULT 0,  -- the largest number then: what the other side has heard of older ones was compared
  adopted_at timestamptz,  -- from then on the relay delivers
  adoption uuid,  -- the last one that was finished: messages of any other are turned away
  adopted_rev bigint NOT NULL DEFAULT 0,  -- the largest number then: what has a smaller one was compared
  secret uuid NOT NULL DEFAULT gen_random_uuid(),  -- by which capture knows a delivery: no application may read it
  gap_at timestamptz,  -- since when writes may have passed by
  gap_reason text CONSTRAINT capture_gap_reason CHECK (gap_reason IN ('truncated', 'replica', 'restored', 'other_restored'))
);

-- One line for every row written: the key is dirty for as long as it has lines. The number of its last line is the rev
-- of a key. It is taken while the row is locked, so that the numbers of one key grow in the order of its commits. A line
-- that we add without such a lock is left alone until every transaction has ended that may have written before it.
CREATE TABLE IF NOT EXISTS twinstore.change (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  dataset text NOT NULL,
  key text NOT NULL,
  parts text[] NOT NULL,  -- of the key, one text per column
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  proposed boolean NOT NULL DEFAULT false,  -- a change of the secondary that was accepted
  horizon xid8  -- of a line that was added without a lock: older transactions may have smaller numbers
);
CREATE INDEX IF NOT EXISTS change_of_key ON twinstore.change (dataset, key, id);
CREATE INDEX IF NOT EXISTS change_horizon ON twinstore.change (dataset, horizon) WHERE horizon IS NOT NULL;

-- What is known of a key beside its lines. It outlives the row: it is the tombstone.
CREATE TABLE IF NOT EXISTS twinstore.row_state (
  dataset text NOT NULL,
  key text NOT NULL,
  rev bigint NOT NULL DEFAULT 0,  -- the last one that was settled
  delivered bigint NOT NULL DEFAULT 0,  -- the last one that the secondary acknowledged: one that was given up is settled
  seen bigint NOT NULL DEFAULT 0,  -- the last change of the secondary that was judged
  PRIMARY KEY (dataset, key)
);
CREATE INDEX IF NOT EXISTS row_state_delivered ON twinstore.row_state (dataset, delivered);
CREATE INDEX IF NOT EXISTS row_state_seen ON twinstore.row_state (dataset, seen);

-- Changes of the secondary that lost against the primary, and differences that were there before replication.
CREATE TABLE IF NOT EXISTS twinstore.conflict (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  dataset text NOT NULL,
  key text NOT NULL,
  kind text NOT NULL CONSTRAINT conflict_kind CHECK (kind IN ('concurrent', 'adopted', 'discarded')),
  found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  base_rev bigint,
  rev bigint NOT NULL,  -- of the primary when it was found
  lseq bigint,
  loser jsonb,  -- the row of the secondary, a text per column; NULL where it was deleted there
  resolved_at timestamptz,
  resolution text CONSTRAINT conflict_resolution CHECK (resolution IN ('primary', 'secondary'))
);
CREATE INDEX IF NOT EXISTS conflict_open ON twinstore.conflict (dataset, key) WHERE resolved_at IS NULL;
CREATE UNIQUE INDEX IF NOT EXISTS conflict_once ON twinstore.conflict (dataset, key, lseq);

-- Keys whose delivery or judgement failed, and when it is tried again. With dead_at: not before somebody says so, or
-- the key changes.
CREATE TABLE IF NOT EXISTS twinstore.delivery (
  dataset text NOT NULL,
  key text NOT NULL,
  direction text NOT NULL CONSTRAINT delivery_direction CHECK (direction IN ('to_secondary', 'to_primary')),
  change_id bigint NOT NULL,  -- the line that was tried
  attempts integer NOT NULL,
  next_at timestamptz NOT NULL,
  code text NOT NULL,  -- an SQLSTATE, never a message: that may hold values
  rule text,  -- constraint or column
  first_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  dead_at timestamptz,
  PRIMARY KEY (dataset, key, direction)
);

-- What callers asked for under a key of their own, so that a repeated request is answered and not carried out again.
CREATE TABLE IF NOT EXISTS twinstore.request (
  key text PRIMARY KEY,
  hash text NOT NULL,  -- of what was asked for
  answer jsonb,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS request_at ON twinstore.request (at);

REVOKE ALL ON ALL TABLES IN SCHEMA twinstore FROM PUBLIC;
