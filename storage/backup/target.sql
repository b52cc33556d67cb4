-- The columns of a table that can be written, and the references of other tables by which a deletion would go on.
SELECT
  (SELECT jsonb_agg(jsonb_build_object(
      'name', a.attname, 'identity', a.attidentity = 'a', 'optional', NOT a.attnotnull OR a.atthasdef
                                                                      OR a.attidentity <> '')
      ORDER BY a.attnum)
   FROM pg_attribute AS a
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
  (SELECT jsonb_agg(DISTINCT format('%I.%I', n.nspname, r.relname))
   FROM pg_constraint AS f JOIN pg_class AS r ON r.oid = f.conrelid JOIN pg_namespace AS n ON n.oid = r.relnamespace
   WHERE f.confrelid = c.oid AND f.contype = 'f' AND f.confdeltype IN ('c', 'n', 'd'))
FROM pg_class AS c JOIN pg_namespace AS s ON s.oid = c.relnamespace
WHERE s.nspname = {schema} AND c.relname = {relation} AND c.relkind IN ('r', 'p')
