-- The tables and views of the exposed schemas: columns with types and defaults, primary keys.
SELECT n.nspname AS schema,
       c.relname AS name,
       c.relkind IN ('v', 'm') AS is_view,
       (pg_catalog.pg_relation_is_updatable(c.oid, TRUE) & 8) > 0 AS insertable,
       (pg_catalog.pg_relation_is_updatable(c.oid, TRUE) & 4) > 0 AS updatable,
       (pg_catalog.pg_relation_is_updatable(c.oid, TRUE) & 16) > 0 AS deletable,
       ARRAY(
           SELECT ARRAY[
                      a.attname::text,
                      pg_catalog.format_type(a.atttypid, a.atttypmod),
                      CASE
                          WHEN a.attidentity <> '' THEN
                              pg_catalog.format(
                                  'nextval(%%L)',
                                  pg_catalog.pg_get_serial_sequence(a.attrelid::pg_catalog.regclass::text, a.attname)
                              )
                          WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid)
                      END
                  ]
             FROM pg_catalog.pg_attribute AS a
             LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attnum
       ) AS columns,
       ARRAY(
           SELECT a.attname::text
             FROM pg_catalog.pg_constraint AS k
             CROSS JOIN LATERAL pg_catalog.unnest(k.conkey) WITH ORDINALITY AS part (number, place)
             JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = part.number
            WHERE k.conrelid = c.oid AND k.contype = 'p'
            ORDER BY part.place
       ) AS primary_key
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname = ANY (%(schemas)s);
