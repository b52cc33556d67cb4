-- One row in public.planning_audit_log for every row written, whoever writes it. An older log goes on with its rows.
CREATE TABLE IF NOT EXISTS public.planning_audit_log (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  planning_id uuid,
  operation text NOT NULL,
  old_data jsonb,
  new_data jsonb,
  user_id uuid,
  created_at timestamptz DEFAULT now()
);
ALTER TABLE public.planning_audit_log ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.planning_audit_log
  ADD COLUMN IF NOT EXISTS actor text,
  ADD COLUMN IF NOT EXISTS actor_role text,
  ADD COLUMN IF NOT EXISTS login_role text,
  ADD COLUMN IF NOT EXISTS transaction_id xid8,
  ALTER COLUMN planning_id DROP NOT NULL;  -- a TRUNCATE concerns no single row
COMMENT ON COLUMN public.planning_audit_log.user_id IS 'owner of the row, not who wrote it';
COMMENT ON COLUMN public.planning_audit_log.actor IS 'subject of the token; NULL for a write without one';
COMMENT ON COLUMN public.planning_audit_log.actor_role IS 'role that wrote the row';
COMMENT ON COLUMN public.planning_audit_log.login_role IS 'role that logged in';

CREATE INDEX IF NOT EXISTS idx_planning_audit_log_planning_id ON public.planning_audit_log (planning_id);
CREATE INDEX IF NOT EXISTS idx_planning_audit_log_created_at ON public.planning_audit_log (created_at);

-- The older check on the operation does not know TRUNCATE.
DO $rules$
DECLARE
  rule record;
  refuses boolean;
BEGIN
  FOR rule IN
    SELECT c.conname, pg_get_expr(c.conbin, c.conrelid) AS condition
    FROM pg_catalog.pg_constraint AS c
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.conrelid = 'public.planning_audit_log'::regclass AND c.contype = 'c' AND cardinality(c.conkey) = 1
      AND a.attname = 'operation'
  LOOP
    EXECUTE format('SELECT NOT (%s) FROM (VALUES (''TRUNCATE'')) AS words (operation)', rule.condition) INTO refuses;
    IF refuses THEN
      EXECUTE format('ALTER TABLE public.planning_audit_log DROP CONSTRAINT %I', rule.conname);
    END IF;
  END LOOP;
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint
                 WHERE conrelid = 'public.planning_audit_log'::regclass
                   AND conname = 'planning_audit_log_operation_known') THEN
    ALTER TABLE public.planning_audit_log ADD CONSTRAINT planning_audit_log_operation_known
      CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE')
             OR operation = 'TRUNCATE' AND planning_id IS NULL) NOT VALID;
  END IF;
END
$rules$;

-- The older audit trigger ran with the writer's rights and swallowed its errors, so users' writes were never recorded.
DO $drop$
DECLARE
  old record;
BEGIN
  FOR old IN
    SELECT t.tgname
    FROM pg_catalog.pg_trigger AS t
    JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
    WHERE t.tgrelid = 'public.planning'::regclass AND NOT t.tgisinternal
      AND p.prosrc ~ 'planning_audit_log' AND p.pronamespace <> 'twinstore'::regnamespace
  LOOP
    EXECUTE format('DROP TRIGGER %I ON public.planning', old.tgname);
    RAISE WARNING 'Trigger % of public.planning is replaced.', old.tgname;
  END LOOP;
END
$drop$;

-- Record one write. SECURITY DEFINER: the writer needs no right on the log. No handler: a write that cannot be recorded
-- does not happen.
CREATE OR REPLACE FUNCTION twinstore.planning_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $function$
DECLARE
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  before jsonb;
  after jsonb;
BEGIN
  IF tg_op IN ('UPDATE', 'DELETE') THEN
    before := to_jsonb(old);
  END IF;
  IF tg_op IN ('INSERT', 'UPDATE') THEN
    after := to_jsonb(new);
  END IF;
  INSERT INTO public.planning_audit_log
    (planning_id, operation, old_data, new_data, user_id, actor, actor_role, login_role, transaction_id, created_at)
  VALUES
    (coalesce(after ->> 'id', before ->> 'id')::uuid, tg_op, before, after,
     coalesce(after ->> 'user_id', before ->> 'user_id')::uuid,
     coalesce(claims ->> 'sub', nullif(current_setting('request.jwt.claim.sub', true), '')),
     coalesce(nullif(current_setting('role'), 'none'), session_user), session_user,
     pg_current_xact_id(), clock_timestamp());
  RETURN NULL;
END
$function$;
REVOKE ALL ON FUNCTION twinstore.planning_audit() FROM PUBLIC;

CREATE OR REPLACE TRIGGER twinstore_audit
  AFTER INSERT OR UPDATE OR DELETE ON public.planning
  FOR EACH ROW EXECUTE FUNCTION twinstore.planning_audit();
CREATE OR REPLACE TRIGGER twinstore_audit_truncate
  AFTER TRUNCATE ON public.planning
  FOR EACH STATEMENT EXECUTE FUNCTION twinstore.planning_audit();
-- Also in a session that replicates or restores.
ALTER TABLE public.planning ENABLE ALWAYS TRIGGER twinstore_audit;
ALTER TABLE public.planning ENABLE ALWAYS TRIGGER twinstore_audit_truncate;
