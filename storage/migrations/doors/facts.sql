-- What the table is like and who asks; reads the catalogue, and of the table no row.
SELECT jsonb_build_object(
  'doors', {checksum},
  'server_version', current_setting('server_version'),
  'statement_timeout_ms', (SELECT setting FROM pg_settings WHERE name = 'statement_timeout'),
  'role', current_user,
  'bypasses_row_security', (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user),
  'identity', (SELECT id FROM twinstore.identity),
  'migrations', (SELECT coalesce(jsonb_object_agg(name, checksum), '{{}}') FROM twinstore.migration_log
                 WHERE status = 'applied'),
  'table', (SELECT jsonb_build_object(
      'kind', c.relkind,
      'usable', has_schema_privilege(c.relnamespace, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
      'row_security', row_security_active(c.oid),
      'estimated_rows', c.reltuples::bigint,
      'columns', (SELECT jsonb_object_agg(attname, format_type(atttypid, atttypmod)) FROM pg_attribute
                  WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
      'inherited', c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid),
      'unique_key', EXISTS (
          SELECT FROM pg_index AS i
          WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
            AND i.indnkeyatts = cardinality({key_columns}::text[])
            AND (SELECT array_agg(a.attname::text) FROM pg_attribute AS a
                 WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])) @> {key_columns}::text[]),
      'deterministic', NOT EXISTS (
          SELECT FROM pg_attribute AS a JOIN pg_collation AS l ON l.oid = a.attcollation
          WHERE a.attrelid = c.oid AND a.attname = ANY ({key_columns}::text[]) AND NOT l.collisdeterministic))
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = {schema} AND c.relname = {relation}))
