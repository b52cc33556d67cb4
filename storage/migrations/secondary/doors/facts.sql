-- What the table is like and who asks, and which doors these are.
SELECT ({preflight}) || jsonb_build_object(
  'doors', {checksum},
  'identity', (SELECT id FROM twinstore.identity),
  'migrations', (SELECT coalesce(jsonb_object_agg(name, checksum), '{{}}')
                 FROM twinstore.migration_log WHERE status = 'applied'),
  'statement_timeout_ms', (SELECT setting FROM pg_settings WHERE name = 'statement_timeout'))
