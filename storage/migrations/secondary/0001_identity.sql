-- Schema twinstore: which side this database is, and what was done to it.
CREATE SCHEMA IF NOT EXISTS twinstore;
COMMENT ON SCHEMA twinstore IS 'Owned by twinstore. Remove it with: twinstore migrate --uninstall';

CREATE TABLE IF NOT EXISTS twinstore.identity (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  side text NOT NULL DEFAULT 'secondary' CONSTRAINT identity_side CHECK (side = 'secondary'),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX IF NOT EXISTS identity_one_row ON twinstore.identity ((true));
INSERT INTO twinstore.identity DEFAULT VALUES ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS twinstore.migration_log (
  name text PRIMARY KEY,
  checksum text NOT NULL CONSTRAINT migration_log_sha256 CHECK (checksum ~ '^[0-9a-f]{64}$'),
  applied_at timestamptz NOT NULL,
  execution_ms integer NOT NULL CONSTRAINT migration_log_duration CHECK (execution_ms >= 0),
  version text NOT NULL,
  status text NOT NULL CONSTRAINT migration_log_status CHECK (status IN ('applied', 'failed'))
);
