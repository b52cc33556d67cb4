-- What must be known of a table before its rows are replaced: columns that can be written, references to it, what keeps
-- two rows apart, triggers and rules of the application; of partitions and of tables that inherit from it as well.
SELECT jsonb_build_object(
  'columns', (
    SELECT jsonb_agg(jsonb_build_object(
             'name', a.attname, 'type', format_type(b.type, b.modifier),
             'identity', a.attidentity = 'a', 'parts', of_type.parts,
             'optional', NOT (a.attnotnull OR b.needed) OR a.atthasdef OR a.attidentity <> '' OR d.typdefault IS NOT NULL)
             ORDER BY a.attnum)
    FROM pg_attribute AS a JOIN pg_type AS d ON d.oid = a.atttypid
    CROSS JOIN LATERAL (  -- what a domain is of, or a domain of a domain
      WITH RECURSIVE base AS (
        SELECT d.oid AS type, a.atttypmod AS modifier, d.typbasetype AS below, d.typtypmod AS given, d.typnotnull AS needed
        UNION ALL
        SELECT t.oid, CASE base.modifier WHEN -1 THEN base.given ELSE base.modifier END, t.typbasetype, t.typtypmod,
               base.needed OR t.typnotnull
        FROM base JOIN pg_type AS t ON t.oid = base.below)
      SELECT type, modifier, needed FROM base WHERE below = 0) AS b
    CROSS JOIN LATERAL (  -- the attributes of composite types, at any depth, in the order in which values are written
      WITH RECURSIVE part AS (
        SELECT b.type, ARRAY[]::bigint[] AS path
        UNION ALL
        SELECT below.type, part.path || below.place
        FROM part JOIN pg_type AS t ON t.oid = part.type
        CROSS JOIN LATERAL (
          SELECT t.typelem AS type, 0 AS place WHERE t.typcategory = 'A'
          UNION ALL SELECT t.typbasetype, 0 WHERE t.typtype = 'd'
          UNION ALL SELECT r.rngsubtype, 0 FROM pg_range AS r
                    WHERE t.oid::text IN (r.rngtypid::text, to_jsonb(r) ->> 'rngmultitypid')
          UNION ALL SELECT m.atttypid, row_number() OVER (ORDER BY m.attnum) FROM pg_attribute AS m
                    WHERE m.attrelid = t.typrelid AND m.attnum > 0 AND NOT m.attisdropped) AS below)
      SELECT jsonb_agg(m.attname ORDER BY part.path, m.attnum) AS parts
      FROM part JOIN pg_type AS t ON t.oid = part.type JOIN pg_attribute AS m ON m.attrelid = t.typrelid
      WHERE m.attnum > 0 AND NOT m.attisdropped) AS of_type
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
  'computed', (
    SELECT jsonb_agg(a.attname ORDER BY a.attnum) FROM pg_attribute AS a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> ''),
  'references', (
    SELECT jsonb_agg(jsonb_build_object(
             'name', f.conname, 'schema', n.nspname, 'relation', r.relname, 'columns', onto.columns,
             'deletes', f.confdeltype IN ('c', 'n', 'd'), 'changes', f.confupdtype IN ('c', 'n', 'd'),
             'held', CASE WHEN f.confdeltype IN ('a', 'r') AND NOT f.condeferred
                               AND to_jsonb(f) ->> 'conperiod' IS DISTINCT FROM 'true'
                               AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(r.oid, 'SELECT')
                               AND NOT row_security_active(r.oid)
                          THEN format('%sEXISTS (SELECT FROM %s%I.%I AS f WHERE %s)', onto.there,
                                      CASE WHEN r.relkind = 'p' THEN '' ELSE 'ONLY ' END,
                                      n.nspname, r.relname, onto.equal) END)
             ORDER BY n.nspname, r.relname, f.conname)
    FROM pg_constraint AS f JOIN pg_class AS r ON r.oid = f.conrelid JOIN pg_namespace AS n ON n.oid = r.relnamespace
    CROSS JOIN LATERAL (
      SELECT jsonb_agg(p.attname) AS columns,
             string_agg(format('t.%I OPERATOR(%I.%s) f.%I', p.attname, m.nspname, o.oprname, a.attname), ' AND ')
               AS equal,
             (SELECT format('t.tableoid = %s AND ', u.oid) FROM pg_class AS u
              WHERE u.oid = f.confrelid AND u.relkind <> 'p') AS there  -- of this very table, not of its parts
      FROM unnest(f.confkey, f.conkey, f.conpfeqop) AS k (referenced, referring, operator)
      JOIN pg_attribute AS p ON p.attrelid = f.confrelid AND p.attnum = k.referenced
      JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = k.referring
      JOIN pg_operator AS o ON o.oid = k.operator
      JOIN pg_namespace AS m ON m.oid = o.oprnamespace) AS onto
    WHERE (f.confrelid = ANY (parts.oids)
           OR f.confrelid IN (SELECT relid FROM pg_partition_ancestors(c.oid)))  -- a table may itself be a part
      AND f.contype = 'f' AND f.conparentid = 0
      AND to_jsonb(f) ->> 'conenforced' IS DISTINCT FROM 'false'),
  'unique', (  -- the plain columns of each; none where it keeps apart what is not equal
    SELECT jsonb_agg(coalesce((SELECT jsonb_agg(a.attname)
                               FROM generate_series(0, i.indnkeyatts - 1) AS place
                               JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[place]
                               WHERE NOT i.indisexclusion), '[]'))
    FROM pg_index AS i WHERE i.indrelid = ANY (parts.oids) AND (i.indisunique OR i.indisexclusion)),
  'triggers', (
    SELECT jsonb_build_object('any', count(*) > 0, 'deletion', coalesce(bool_or(deletion), false))
    FROM (SELECT t.tgtype & 8 <> 0 AS deletion
          FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid JOIN pg_namespace AS n ON n.oid = p.pronamespace
          WHERE t.tgrelid = ANY (parts.oids) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
            AND n.nspname <> 'twinstore'
          UNION ALL
          SELECT ev_type = '4' FROM pg_rewrite WHERE ev_class = c.oid AND ev_enabled IN ('O', 'A')) AS fired))
FROM pg_class AS c JOIN pg_namespace AS s ON s.oid = c.relnamespace
CROSS JOIN LATERAL (
  WITH RECURSIVE part AS (
    SELECT c.oid UNION SELECT i.inhrelid FROM part JOIN pg_inherits AS i ON i.inhparent = part.oid)
  SELECT array_agg(part.oid) AS oids FROM part) AS parts
WHERE s.nspname = {schema} AND c.relname = {relation} AND c.relkind IN ('r', 'p')
