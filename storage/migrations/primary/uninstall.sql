-- Remove what the primary side installed. RESTRICT: what somebody else built on it is not dragged along.
-- Capture: its triggers on tables of the application, and the functions of both schemas.
DO $replication$
DECLARE
  ours record;
BEGIN
  FOR ours IN SELECT tgname, tgrelid::regclass AS rel FROM pg_catalog.pg_trigger
              WHERE tgname IN ('twinstore_capture', 'twinstore_capture_truncate') AND NOT tgisinternal LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', ours.tgname, ours.rel);
  END LOOP;
  FOR ours IN SELECT oid::regprocedure AS door FROM pg_catalog.pg_proc
              WHERE pronamespace IN (to_regnamespace('twinstore'))
                AND obj_description(oid, 'pg_proc') ~ '^Owned by twinstore:' LOOP
    EXECUTE format('DROP FUNCTION %s RESTRICT', ours.door);
  END LOOP;
END
$replication$;
DROP TABLE IF EXISTS twinstore.request, twinstore.delivery, twinstore.conflict, twinstore.row_state, twinstore.change,
  twinstore.capture RESTRICT;
DROP TABLE IF EXISTS twinstore.migration_log RESTRICT;
DROP TABLE IF EXISTS twinstore.identity RESTRICT;
DROP SCHEMA IF EXISTS twinstore RESTRICT;
