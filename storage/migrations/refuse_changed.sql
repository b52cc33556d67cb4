-- A migration that was applied stays as it was.
DO $frame$
DECLARE
  recorded text;
BEGIN
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
