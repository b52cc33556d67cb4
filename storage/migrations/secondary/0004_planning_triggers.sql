-- Who decides about updated_at and created_at: the writer, where the writer says something; else the database.

-- The older triggers: one overwrote every updated_at, one replaced blank titles by invented ones. Their functions stay:
-- other tables may use them.
DO $drop$
DECLARE
  old record;
BEGIN
  FOR old IN
    SELECT t.tgname
    FROM pg_catalog.pg_trigger AS t
    JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
    WHERE t.tgrelid = 'public.planning'::regclass AND NOT t.tgisinternal
      AND (t.tgname IN ('update_planning_updated_at', 'validate_planning_data_trigger')
           OR p.proname = 'update_updated_at_column')
  LOOP
    EXECUTE format('DROP TRIGGER %I ON public.planning', old.tgname);
    RAISE WARNING 'Trigger % of public.planning is replaced.', old.tgname;
  END LOOP;
END
$drop$;

-- Note that the statement names updated_at although its value stays. A row trigger cannot see the statement's columns;
-- UPDATE OF can, so it leaves the key of the row for the next trigger, which takes it away again.
CREATE OR REPLACE FUNCTION twinstore.planning_updated_at_named() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $function$
BEGIN
  PERFORM set_config('twinstore.updated_at_named', old.id::text, true);
  RETURN new;
END
$function$;

-- Hold the owner under row level security, keep created_at, touch updated_at unless the writer set it.
-- Under the transaction-local mark twinstore.applying the row is written as it was given.
CREATE OR REPLACE FUNCTION twinstore.planning_before_update() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $function$
DECLARE
  named boolean := current_setting('twinstore.updated_at_named', true) = old.id::text;
BEGIN
  IF named THEN
    PERFORM set_config('twinstore.updated_at_named', '', true);
  END IF;
  IF new.user_id IS DISTINCT FROM old.user_id
     AND current_user <> 'service_role' AND row_security_active('public.planning'::regclass) THEN
    RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the owner of a planning record cannot be changed';
  END IF;
  IF current_setting('twinstore.applying', true) = 'on' THEN
    RETURN new;
  END IF;
  IF old.created_at IS NOT NULL THEN
    new.created_at := old.created_at;
  END IF;
  IF new.updated_at IS NOT DISTINCT FROM old.updated_at AND named IS NOT TRUE THEN
    new.updated_at := greatest(now(), old.updated_at);
  END IF;
  RETURN new;
END
$function$;

REVOKE ALL ON FUNCTION twinstore.planning_updated_at_named(), twinstore.planning_before_update() FROM PUBLIC;

-- Row triggers fire by name: 1 before 2.
CREATE OR REPLACE TRIGGER twinstore_1_updated_at_named
  BEFORE UPDATE OF updated_at ON public.planning
  FOR EACH ROW WHEN (new.updated_at IS NOT DISTINCT FROM old.updated_at)
  EXECUTE FUNCTION twinstore.planning_updated_at_named();
CREATE OR REPLACE TRIGGER twinstore_2_before_update
  BEFORE UPDATE ON public.planning
  FOR EACH ROW EXECUTE FUNCTION twinstore.planning_before_update();
