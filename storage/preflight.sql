-- What a table is like and who asks, as one JSON value; reads the catalogue only. The table is NULL where there is none.
-- A column of a domain has the type below it. Of types outside the catalogue, only enums and citext can be read.
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
        SELECT jsonb_object_agg(attname, format_type(base.kind, base.modifier))
        FROM pg_catalog.pg_attribute
        CROSS JOIN LATERAL (
          WITH RECURSIVE below (kind, modifier, depth) AS (
            SELECT atttypid, atttypmod, 0
            UNION ALL
            SELECT typbasetype, typtypmod, depth + 1
            FROM below JOIN pg_catalog.pg_type ON pg_type.oid = below.kind AND typtype = 'd')
          SELECT kind, modifier FROM below ORDER BY depth DESC LIMIT 1) AS base
        WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped),
      'unreadable', (
        SELECT coalesce(jsonb_agg(attname), '[]')
        FROM pg_catalog.pg_attribute
        JOIN pg_catalog.pg_type AS type ON type.oid = atttypid
        JOIN pg_catalog.pg_type AS element
          ON element.oid = CASE WHEN type.typcategory = 'A' THEN type.typelem ELSE type.oid END
        WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
          AND element.typnamespace <> 'pg_catalog'::regnamespace
          AND element.typtype NOT IN ('d', 'e') AND element.typname <> 'citext'),
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
