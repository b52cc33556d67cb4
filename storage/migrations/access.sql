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
{grant}  END LOOP;
END
$access$;
