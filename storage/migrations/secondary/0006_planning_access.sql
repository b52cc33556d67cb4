-- Who may do what. Everything is granted by name, since a platform's default privileges may grant too much or nothing.

-- | role          | planning                       | planning_audit_log | schema twinstore            |
-- | anon          | SELECT, no policy: sees no row | nothing            | nothing                     |
-- | authenticated | S I U D under policies         | nothing            | nothing                     |
-- | service_role  | S I U D, every row             | SELECT             | SELECT on its two tables    |
REVOKE ALL ON public.planning, public.planning_audit_log FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA twinstore FROM PUBLIC;
REVOKE ALL ON SCHEMA twinstore FROM PUBLIC;
DO $grants$
DECLARE
  grantee text;
BEGIN
  FOREACH grantee IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
    IF to_regrole(grantee) IS NULL THEN
      RAISE WARNING 'There is no role %: its grants and policies are left out.', grantee;
      CONTINUE;
    END IF;
    EXECUTE format('REVOKE ALL ON public.planning, public.planning_audit_log FROM %I', grantee);
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA twinstore FROM %I', grantee);
    EXECUTE format('REVOKE ALL ON SCHEMA twinstore FROM %I', grantee);
    IF grantee = 'anon' THEN
      EXECUTE format('GRANT SELECT ON public.planning TO %I', grantee);
    ELSE
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.planning TO %I', grantee);
    END IF;
    IF grantee = 'service_role' THEN
      EXECUTE format('GRANT SELECT ON public.planning_audit_log TO %I', grantee);
      EXECUTE format('GRANT USAGE ON SCHEMA twinstore TO %I', grantee);
      EXECUTE format('GRANT SELECT ON twinstore.identity, twinstore.migration_log TO %I', grantee);
    END IF;
  END LOOP;
END
$grants$;

-- Older policies allow a project's owner to take over its records; permissive policies add up, so they must go.
DO $drop$
DECLARE
  old record;
BEGIN
  FOR old IN
    SELECT polname, polrelid::regclass AS rel
    FROM pg_catalog.pg_policy
    WHERE polrelid IN ('public.planning'::regclass, 'public.planning_audit_log'::regclass)
      AND (polname ~ '^Users can (view|insert|update|delete) (own|project) planning data$'
           OR polname ~ '^Service role' OR polname ~ '^twinstore_')
  LOOP
    EXECUTE format('DROP POLICY %I ON %s', old.polname, old.rel);
  END LOOP;
  FOR old IN
    SELECT polname, polrelid::regclass AS rel
    FROM pg_catalog.pg_policy
    WHERE polrelid IN ('public.planning'::regclass, 'public.planning_audit_log'::regclass)
  LOOP
    RAISE WARNING 'Policy "%" on % is not ours; it stays and adds to ours.', old.polname, old.rel;
  END LOOP;
END
$drop$;

DO $policies$
BEGIN
  IF to_regrole('service_role') IS NOT NULL THEN
    CREATE POLICY twinstore_service ON public.planning TO service_role USING (true) WITH CHECK (true);
    CREATE POLICY twinstore_service ON public.planning_audit_log FOR SELECT TO service_role USING (true);
  END IF;
  IF to_regrole('authenticated') IS NULL THEN
    RETURN;
  END IF;
  IF to_regprocedure('auth.uid()') IS NULL THEN
    RAISE WARNING 'There is no function auth.uid(): policies for the role authenticated are left out.';
    RETURN;
  END IF;
  CREATE POLICY twinstore_own_select ON public.planning FOR SELECT TO authenticated
    USING (user_id = (SELECT auth.uid()));
  CREATE POLICY twinstore_own_insert ON public.planning FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY twinstore_own_update ON public.planning FOR UPDATE TO authenticated
    USING (user_id = (SELECT auth.uid())) WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY twinstore_own_delete ON public.planning FOR DELETE TO authenticated
    USING (user_id = (SELECT auth.uid()));
END
$policies$;

-- Sharing by project: who owns a project sees, changes and deletes the records in it, and cannot change their owner.
-- The list of projects is read with our rights, once per statement, so that users need no grant on public.projects.
DO $projects$
BEGIN
  IF to_regrole('authenticated') IS NULL OR to_regprocedure('auth.uid()') IS NULL
     OR to_regclass('public.projects') IS NULL THEN
    RETURN;
  END IF;
  IF (SELECT count(*) FROM pg_catalog.pg_attribute
      WHERE attrelid = to_regclass('public.projects') AND attname IN ('id', 'user_id') AND atttypid = 'uuid'::regtype
        AND NOT attisdropped) <> 2
     OR NOT has_table_privilege('public.projects', 'SELECT') THEN
    RAISE WARNING 'public.projects has no readable uuid columns id and user_id: sharing by project is left out.';
    RETURN;
  END IF;
  CREATE OR REPLACE FUNCTION twinstore.owned_projects() RETURNS uuid[]
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
  BEGIN ATOMIC
    SELECT coalesce(array_agg(p.id), '{}') FROM public.projects AS p WHERE p.user_id = (SELECT auth.uid());
  END;
  REVOKE ALL ON FUNCTION twinstore.owned_projects() FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION twinstore.owned_projects() TO authenticated;
  CREATE POLICY twinstore_project_select ON public.planning FOR SELECT TO authenticated
    USING (project_id = ANY ((SELECT twinstore.owned_projects())::uuid[]));
  CREATE POLICY twinstore_project_update ON public.planning FOR UPDATE TO authenticated
    USING (project_id = ANY ((SELECT twinstore.owned_projects())::uuid[]))
    WITH CHECK (project_id = ANY ((SELECT twinstore.owned_projects())::uuid[]));
  CREATE POLICY twinstore_project_delete ON public.planning FOR DELETE TO authenticated
    USING (project_id = ANY ((SELECT twinstore.owned_projects())::uuid[]));
END
$projects$;
