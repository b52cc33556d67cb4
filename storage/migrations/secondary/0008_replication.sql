-- What replication remembers on the secondary. See the primary's file for why lines are added and never updated.
CREATE TABLE IF NOT EXISTS twinstore.capture (
  dataset text PRIMARY KEY,
  relation oid NOT NULL,  -- the table as it was: one that was dropped and made again has another
  since timestamptz NOT NULL DEFAULT now(),
  base bigint NOT NULL DEFAULT 0,  -- the largest number then: what became of older changes does not matter any more
  adoption uuid,  -- the last one that began: messages of any other are turned away
  secret uuid NOT NULL DEFAULT gen_random_uuid(),  -- by which capture knows a delivery: no application may read it
  gap_at timestamptz,  -- since when writes may have passed by
  gap_reason text CONSTRAINT capture_gap_reason CHECK (gap_reason IN ('truncated', 'replica'))
);

-- One line for every row written here and not by a delivery: a proposal, until the primary has judged it. The number of
-- a key's last line is its lseq.
CREATE TABLE IF NOT EXISTS twinstore.change (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  dataset text NOT NULL,
  key text NOT NULL,
  parts text[] NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS change_of_key ON twinstore.change (dataset, key, id);

-- The rev that was delivered last, and the last change of ours that was judged and settled. Both outlive the row and its
-- lines: a delivery that is late and knows nothing of that change must not replace it.
CREATE TABLE IF NOT EXISTS twinstore.row_state (
  dataset text NOT NULL,
  key text NOT NULL,
  rev bigint NOT NULL DEFAULT 0,
  lseq bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (dataset, key)
);
CREATE INDEX IF NOT EXISTS row_state_rev ON twinstore.row_state (dataset, rev);
CREATE INDEX IF NOT EXISTS row_state_lseq ON twinstore.row_state (dataset, lseq);

CREATE TABLE IF NOT EXISTS twinstore.request (
  key text PRIMARY KEY,
  hash text NOT NULL,
  answer jsonb,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS request_at ON twinstore.request (at);

-- Reached through functions only.
DO $access$
DECLARE
  grantee text;
  kept text;
BEGIN
  FOREACH kept IN ARRAY ARRAY['capture', 'change', 'row_state', 'request'] LOOP
    EXECUTE format('REVOKE ALL ON twinstore.%I FROM PUBLIC', kept);
    FOREACH grantee IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
      IF to_regrole(grantee) IS NOT NULL THEN
        EXECUTE format('REVOKE ALL ON twinstore.%I FROM %I', kept, grantee);
      END IF;
    END LOOP;
  END LOOP;
END
$access$;
