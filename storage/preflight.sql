-- What a table is like and who asks, as one JSON value; reads the catalogue only. The table is NULL where there is none.
SELECT jsonb_build_object(
  'role', current_user,
  'server_version', current_setting('server_version'),
  'table', (
    SELECT jsonb_build_object(
      'kind', relation.relkind,
      'usable', has_schema_privilege(relation.relnamespace, 'USAGE') AND has_table_privilege(relation.oid, 'SELECT'),
      'row_security', row_security_active(relation.oid),
      'estimated_rows', relation.reltuples::bigint,
      'columns', (
        SELECT jsonb_object_agg(attname, format_type(atttypid, atttypmod))
        FROM pg_catalog.pg_attribute WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped),
      'key_unique', EXISTS (
        SELECT FROM pg_catalog.pg_index
        WHERE indrelid = relation.oid AND indisunique AND indisvalid AND indimmediate
          AND indpred IS NULL AND indexprs IS NULL
          AND (indkey::int2[])[0:indnkeyatts - 1] <@ (
            SELECT array_agg(attnum) FROM pg_catalog.pg_attribute
            WHERE attrelid = relation.oid AND attname = ANY ({key_columns}::text[]))),
      'key_present', (
        SELECT bool_and(attnotnull) FROM pg_catalog.pg_attribute
        WHERE attrelid = relation.oid AND attname = ANY ({key_columns}::text[])),
      'key_deterministic', NOT EXISTS (
        SELECT FROM pg_catalog.pg_attribute JOIN pg_catalog.pg_collation ON pg_collation.oid = attcollation
        WHERE attrelid = relation.oid AND attname = ANY ({key_columns}::text[]) AND NOT collisdeterministic),
      'childless', relation.relkind <> 'r' OR NOT EXISTS (
        SELECT FROM pg_catalog.pg_inherits WHERE inhparent = relation.oid))
    FROM pg_catalog.pg_class AS relation
    JOIN pg_catalog.pg_namespace AS space ON space.oid = relation.relnamespace
    WHERE space.nspname = {schema} AND relation.relname = {relation}))
