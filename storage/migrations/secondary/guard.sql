-- Refuse the secondary side where the primary lives. Reads the catalogue only.
DO $guard$
DECLARE
  found text;
BEGIN
  IF to_regclass('twinstore.identity') IS NOT NULL THEN
    EXECUTE 'SELECT side FROM twinstore.identity' INTO found;
    IF found <> 'secondary' THEN
      RAISE EXCEPTION USING ERRCODE = 'TW001',
        MESSAGE = 'This database is the primary store: the secondary side cannot be installed in it.',
        HINT = 'Check that DATABASE_URL and SUPABASE_DB_URL name two different databases.';
    END IF;
  END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_attribute
             WHERE attrelid = to_regclass('public.planning') AND attname = 'id' AND atttypid <> 'uuid'::regtype) THEN
    RAISE EXCEPTION USING ERRCODE = 'TW001',
      MESSAGE = 'Column id of public.planning is not of type uuid: this looks like the primary store.',
      HINT = 'Check that SUPABASE_DB_URL names the database of the Supabase project.';
  END IF;
END
$guard$;
