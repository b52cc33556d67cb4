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
{access}NOTIFY pgrst, 'reload schema';
