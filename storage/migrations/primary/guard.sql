-- Refuse the primary side where the secondary lives. Reads the catalogue only.
DO $guard$
DECLARE
  found text;
BEGIN
  IF to_regclass('twinstore.identity') IS NOT NULL THEN
    EXECUTE 'SELECT side FROM twinstore.identity' INTO found;
    IF found <> 'primary' THEN
      RAISE EXCEPTION USING ERRCODE = 'TW001',
        MESSAGE = 'This database is the secondary store: the primary side cannot be installed in it.',
        HINT = 'Check that DATABASE_URL and SUPABASE_DB_URL name two different databases.';
    END IF;
  END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_attribute
             WHERE attrelid = to_regclass('public.planning') AND attname = 'id' AND atttypid = 'uuid'::regtype) THEN
    RAISE EXCEPTION USING ERRCODE = 'TW001',
      MESSAGE = 'Column id of public.planning is of type uuid: this looks like the secondary store.',
      HINT = 'Check that DATABASE_URL names the database of the Prisma application.';
  END IF;
END
$guard$;
