SET LOCAL lock_timeout = '5s';       -- an application that waits behind us waits no longer than this
SET LOCAL statement_timeout = '10min';
SET LOCAL client_min_messages = warning;  -- what we have to say, without "already exists, skipping"
SET LOCAL search_path = '';          -- every name below is written out
DO $frame$
DECLARE
  recorded text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('twinstore.migrations', 0));
  -- Not to_regclass: it may answer from what this session knew before it waited for the lock.
  IF EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'twinstore' AND tablename = 'migration_log') THEN
    SELECT checksum INTO recorded FROM twinstore.migration_log WHERE name = '{{name}}' AND status = 'applied';
    IF recorded <> '{{checksum}}' THEN
      RAISE EXCEPTION USING ERRCODE = 'TW001',
        MESSAGE = format('Migration {{name}} was applied with checksum %s and has {{prefix}} now.', left(recorded, 12)),
        HINT = 'Put the file back as it was; what must change goes into a new migration.';
    END IF;
  END IF;
END
$frame$;

{{guard}}

{{sql}}

INSERT INTO twinstore.migration_log AS log (name, checksum, applied_at, execution_ms, version, status)
VALUES ('{{name}}', '{{checksum}}', clock_timestamp(),
        (extract(epoch FROM clock_timestamp() - transaction_timestamp()) * 1000)::integer, '{{version}}', 'applied')
ON CONFLICT (name) DO UPDATE
SET checksum = excluded.checksum, applied_at = excluded.applied_at, execution_ms = excluded.execution_ms,
    version = excluded.version, status = excluded.status
WHERE log.status <> 'applied';
