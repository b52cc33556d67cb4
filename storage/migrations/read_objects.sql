-- Everything that is ours and goes when we are uninstalled.
SELECT 'schema twinstore' FROM pg_catalog.pg_namespace WHERE nspname = 'twinstore'
UNION ALL
SELECT 'table twinstore.' || relname FROM pg_catalog.pg_class
WHERE relnamespace = to_regnamespace('twinstore') AND relkind = 'r'
UNION ALL
SELECT 'function twinstore.' || proname FROM pg_catalog.pg_proc WHERE pronamespace = to_regnamespace('twinstore')
UNION ALL
SELECT format('trigger %s on %s', tgname, tgrelid::regclass)
FROM pg_catalog.pg_trigger JOIN pg_catalog.pg_proc ON pg_proc.oid = tgfoid
WHERE pronamespace = to_regnamespace('twinstore')
UNION ALL
SELECT format('policy %s on %s', polname, polrelid::regclass) FROM pg_catalog.pg_policy WHERE polname ~ '^twinstore_project_'
UNION ALL
SELECT 'function public.' || proname FROM pg_catalog.pg_proc
WHERE pronamespace = 'public'::regnamespace AND obj_description(oid, 'pg_proc') ~ '^Owned by twinstore:'
ORDER BY 1
