-- What a table is made of, as one JSON value; NULL where there is none. A column of a domain has the type below it.
-- Of types outside the catalogue, only enums and citext can be read. The key is the primary key, else the shortest other.
SELECT jsonb_build_object(
  'columns', (
    SELECT jsonb_agg(jsonb_build_object(
      'name', attname,
      'type', format_type(base.kind, base.modifier),
      'readable', element.typnamespace = 'pg_catalog'::regnamespace OR element.typtype = 'e' OR element.typname = 'citext',
      'required', attnotnull,
      'labels', (
        SELECT coalesce(jsonb_agg(enumlabel ORDER BY enumsortorder), '[]')
        FROM pg_catalog.pg_enum WHERE enumtypid = base.kind)) ORDER BY attnum)
    FROM pg_catalog.pg_attribute
    CROSS JOIN LATERAL (
      WITH RECURSIVE below (kind, modifier, depth) AS (
        SELECT atttypid, atttypmod, 0
        UNION ALL
        SELECT typbasetype, typtypmod, depth + 1
        FROM below JOIN pg_catalog.pg_type ON pg_type.oid = below.kind AND typtype = 'd')
      SELECT kind, modifier FROM below ORDER BY depth DESC LIMIT 1) AS base
    JOIN pg_catalog.pg_type AS type ON type.oid = base.kind
    JOIN pg_catalog.pg_type AS element
      ON element.oid = CASE WHEN type.typcategory = 'A' THEN type.typelem ELSE type.oid END
    WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped),
  'key', (
    SELECT coalesce(jsonb_agg(attname ORDER BY place), '[]')
    FROM (
      SELECT (indkey::int2[])[0:indnkeyatts - 1] AS numbers
      FROM pg_catalog.pg_index
      WHERE indrelid = relation.oid AND indisunique AND indisvalid AND indimmediate
        AND indpred IS NULL AND indexprs IS NULL
        AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_attribute
          WHERE attrelid = relation.oid AND attnum = ANY ((indkey::int2[])[0:indnkeyatts - 1]) AND NOT attnotnull)
      ORDER BY indisprimary DESC, indnkeyatts, indexrelid LIMIT 1) AS chosen
    CROSS JOIN LATERAL unnest(numbers) WITH ORDINALITY AS part (number, place)
    JOIN pg_catalog.pg_attribute ON attrelid = relation.oid AND attnum = number),
  'checks', (
    SELECT coalesce(jsonb_agg(pg_get_constraintdef(oid) ORDER BY conname), '[]')
    FROM pg_catalog.pg_constraint WHERE conrelid = relation.oid AND contype = 'c'))
FROM pg_catalog.pg_class AS relation JOIN pg_catalog.pg_namespace AS space ON space.oid = relation.relnamespace
WHERE space.nspname = {schema} AND relation.relname = {relation} AND relation.relkind IN ('r', 'p')
