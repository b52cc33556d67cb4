-- Remove our triggers, functions and schema. Rows, tables, checks, grants and the policies for owners stay as they are;
-- sharing by project needs a function of ours and ends. RESTRICT: what somebody else built on it is not dragged along.
DO $uninstall$
BEGIN
  IF to_regclass('public.planning') IS NOT NULL THEN
    DROP TRIGGER IF EXISTS twinstore_1_updated_at_named ON public.planning;
    DROP TRIGGER IF EXISTS twinstore_2_before_update ON public.planning;
    DROP TRIGGER IF EXISTS twinstore_audit ON public.planning;
    DROP TRIGGER IF EXISTS twinstore_audit_truncate ON public.planning;
    DROP POLICY IF EXISTS twinstore_project_select ON public.planning;
    DROP POLICY IF EXISTS twinstore_project_update ON public.planning;
    DROP POLICY IF EXISTS twinstore_project_delete ON public.planning;
  END IF;
END
$uninstall$;
-- Capture: its triggers; then the functions of both schemas, those by which tables are read among them.
DO $replication$
DECLARE
  ours record;
BEGIN
  FOR ours IN SELECT tgname, tgrelid::regclass AS rel FROM pg_catalog.pg_trigger
              WHERE tgname IN ('twinstore_capture', 'twinstore_capture_truncate') AND NOT tgisinternal LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', ours.tgname, ours.rel);
  END LOOP;
  FOR ours IN SELECT oid::regprocedure AS door FROM pg_catalog.pg_proc
              WHERE pronamespace IN ('public'::regnamespace, to_regnamespace('twinstore'))
                AND obj_description(oid, 'pg_proc') ~ '^Owned by twinstore:' LOOP
    EXECUTE format('DROP FUNCTION %s RESTRICT', ours.door);
  END LOOP;
END
$replication$;
DROP TABLE IF EXISTS twinstore.request, twinstore.row_state, twinstore.change, twinstore.capture RESTRICT;
DROP FUNCTION IF EXISTS twinstore.planning_updated_at_named() RESTRICT;
DROP FUNCTION IF EXISTS twinstore.planning_before_update() RESTRICT;
DROP FUNCTION IF EXISTS twinstore.planning_audit() RESTRICT;
DROP FUNCTION IF EXISTS twinstore.owned_projects() RESTRICT;
DROP TABLE IF EXISTS twinstore.migration_log RESTRICT;
DROP TABLE IF EXISTS twinstore.identity RESTRICT;
DROP SCHEMA IF EXISTS twinstore RESTRICT;
NOTIFY pgrst, 'reload schema';
