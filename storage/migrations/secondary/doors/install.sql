-- Functions by which a table is read over REST. Each returns one value, since a set would be cut at the row cap.
DO $replace$
DECLARE
  door regprocedure;
BEGIN
  FOR door IN SELECT oid FROM pg_catalog.pg_proc
              WHERE pronamespace = 'public'::regnamespace AND obj_description(oid, 'pg_proc') = {mark} LOOP
    EXECUTE format('DROP FUNCTION %s', door);
  END LOOP;
END
$replace$;

{functions}
-- A platform's default privileges let everybody execute new functions.
DO $access$
DECLARE
  door regprocedure;
  grantee text;
BEGIN
  FOREACH door IN ARRAY {signatures}::regprocedure[] LOOP
    EXECUTE format('COMMENT ON FUNCTION %s IS %L', door, {mark});
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', door);
    FOREACH grantee IN ARRAY ARRAY['anon', 'authenticated'] LOOP
      IF to_regrole(grantee) IS NOT NULL THEN
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %I', door, grantee);
      END IF;
    END LOOP;
    IF to_regrole('service_role') IS NOT NULL THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO service_role', door);
    END IF;
  END LOOP;
END
$access$;
NOTIFY pgrst, 'reload schema';
