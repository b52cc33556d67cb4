-- What the given schemas hold beside rows: tables, what keeps them in order, and what they need of other schemas.
-- Objects of extensions come with the extension. NOT NULL constraints are left out: older servers do not name them.
WITH RECURSIVE spaces AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY ({schemas})),
relations AS (
  SELECT c.oid, c.relkind, s.nspname, c.relname, format('%I.%I', s.nspname, c.relname) AS name
  FROM pg_class AS c JOIN spaces AS s ON s.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'm')
    AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                                 AND d.deptype = 'e')),
owned AS (
  SELECT s.oid AS sequence, c.name AS table_name, a.attname,
         format('%I.%I', n.nspname, s.relname) AS sequence_name
  FROM pg_depend AS d
  JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
  JOIN pg_namespace AS n ON n.oid = s.relnamespace
  JOIN relations AS c ON c.oid = d.refobjid
  JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    AND a.atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'numeric'::regtype)),
needing AS (  -- what cannot be made without an extension: a function can be stood in for, a type cannot
  SELECT d.refobjid AS extension, d.classid, d.objid
  FROM pg_depend AS d
  WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND d.classid <> 'pg_proc'::regclass
  UNION  -- arrays, domains and composites of its types, functions of them, and so on; of a table only its type
  SELECT n.extension, u.classid, u.objid
  FROM needing AS n CROSS JOIN LATERAL (
    SELECT d.classid, d.objid FROM pg_depend AS d
    WHERE d.refclassid = n.classid AND d.refobjid = n.objid AND d.deptype IN ('n', 'i')
      AND n.classid NOT IN ('pg_class'::regclass, 'pg_namespace'::regclass, 'pg_language'::regclass)
    UNION ALL
    SELECT 'pg_type'::regclass, c.reltype FROM pg_class AS c
    WHERE n.classid = 'pg_class'::regclass AND c.oid = n.objid AND c.reltype <> 0) AS u)
SELECT jsonb_build_object(
  'tables', (  -- of columns that the server computes no dump holds values, and another one may compute otherwise
    SELECT jsonb_agg(jsonb_build_array(name, CASE relkind WHEN 'r' THEN 'ONLY ' ELSE '' END, (
             SELECT string_agg(format('t.%I', a.attname), ', ' ORDER BY a.attname COLLATE "C")  -- heirs are made anew
             FROM pg_attribute AS a
             WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''), (
             SELECT jsonb_agg(part.name ORDER BY part.name COLLATE "C")
             FROM pg_partition_tree(r.oid) AS t JOIN relations AS part ON part.oid = t.relid
             WHERE r.relkind = 'p' AND part.oid <> r.oid)
           ) ORDER BY name COLLATE "C")
    FROM relations AS r
    WHERE relkind IN ('r', 'p')  -- rows of partitions are those of their table: a restore may divide them otherwise
      AND NOT EXISTS (SELECT FROM pg_inherits AS i JOIN relations AS parent ON parent.oid = i.inhparent
                      WHERE i.inhrelid = r.oid AND parent.relkind = 'p')),
  'strays', (  -- what is read with a table, and lies in no dump of it
    SELECT jsonb_agg(jsonb_build_array(parent.name, format('%I.%I', n.nspname, c.relname))
                     ORDER BY n.nspname, c.relname)
    FROM pg_inherits AS i
    JOIN relations AS parent ON parent.oid = i.inhparent
    JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relpersistence <> 't' AND c.relkind IN ('r', 'p', 'f')
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid NOT IN (SELECT oid FROM relations)),
  'constraints', (
    SELECT jsonb_agg(format('%s.%I %s%s', r.name, c.conname, c.contype,
                            CASE WHEN c.convalidated THEN '' ELSE ' not valid' END) ORDER BY r.name, c.conname)
    FROM pg_constraint AS c JOIN relations AS r ON r.oid = c.conrelid
    WHERE c.contype IN ('p', 'u', 'x', 'c')
       OR c.contype = 'f' AND c.conparentid = 0  -- those of partitions follow, under names that the server chooses
          AND EXISTS (SELECT FROM relations AS other WHERE other.oid = c.confrelid)),
  'foreign_keys', (
    SELECT jsonb_agg(c.oid::bigint ORDER BY c.oid)
    FROM pg_constraint AS c JOIN relations AS r ON r.oid = c.conrelid
    WHERE c.contype = 'f' AND NOT EXISTS (SELECT FROM relations AS other WHERE other.oid = c.confrelid)),
  'indexes', (
    SELECT jsonb_agg(format('%s.%I', r.name, c.relname) ORDER BY r.name, c.relname)
    FROM pg_index AS i JOIN relations AS r ON r.oid = i.indrelid JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indisvalid AND r.relkind <> 'm'),  -- one that is not is left out of dumps; views count nowhere
  'triggers', (
    SELECT jsonb_agg(format('%s.%I %s', r.name, t.tgname, t.tgenabled) ORDER BY r.name, t.tgname)
    FROM pg_trigger AS t JOIN relations AS r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal),
  'sequences', (
    SELECT jsonb_agg(jsonb_build_array(sequence_name, table_name, attname,
                                       pg_sequence_last_value(sequence)) ORDER BY sequence_name)
    FROM owned),
  'roles', (
    SELECT jsonb_agg(DISTINCT role.rolname)
    FROM pg_policy AS p JOIN relations AS r ON r.oid = p.polrelid
    JOIN pg_roles AS role ON role.oid = ANY (p.polroles)),
  'functions', (
    SELECT jsonb_agg(DISTINCT jsonb_build_array(n.nspname, format(
             'CREATE FUNCTION %I.%I(%s) RETURNS %s LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$',
             n.nspname, p.proname, pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid))))
    FROM pg_depend AS d JOIN pg_proc AS p ON p.oid = d.refobjid JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE d.refclassid = 'pg_proc'::regclass AND d.deptype = 'n' AND p.prokind = 'f'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND (n.oid NOT IN (SELECT oid FROM spaces)
        OR EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid
                                                AND e.deptype = 'e'))
      AND (d.classid = 'pg_trigger'::regclass AND d.objid IN (SELECT t.oid FROM pg_trigger AS t
                                                              JOIN relations AS r ON r.oid = t.tgrelid)
        OR d.classid = 'pg_policy'::regclass AND d.objid IN (SELECT q.oid FROM pg_policy AS q
                                                             JOIN relations AS r ON r.oid = q.polrelid)
        OR d.classid = 'pg_attrdef'::regclass AND d.objid IN (SELECT a.oid FROM pg_attrdef AS a
                                                              JOIN relations AS r ON r.oid = a.adrelid)
        OR d.classid = 'pg_constraint'::regclass AND d.objid IN (SELECT c.oid FROM pg_constraint AS c
                                                                 JOIN relations AS r ON r.oid = c.conrelid)
        OR d.classid IN ('pg_class'::regclass, 'pg_rewrite'::regclass))),
  'extensions', (
    SELECT jsonb_agg(jsonb_build_array(x.extname, n.nspname) ORDER BY x.extname)
    FROM pg_extension AS x JOIN pg_namespace AS n ON n.oid = x.extnamespace
    WHERE x.extname <> 'plpgsql'
      AND EXISTS (SELECT FROM needing AS u
                  WHERE u.extension = x.oid
                    AND (u.classid = 'pg_class'::regclass AND u.objid IN (SELECT oid FROM relations)
                      OR u.classid = 'pg_class'::regclass AND u.objid IN (SELECT i.indexrelid FROM pg_index AS i
                                                                         JOIN relations AS r ON r.oid = i.indrelid)
                      OR u.classid = 'pg_attrdef'::regclass AND u.objid IN (SELECT a.oid FROM pg_attrdef AS a
                                                                            JOIN relations AS r ON r.oid = a.adrelid)
                      OR u.classid = 'pg_constraint'::regclass AND u.objid IN (
                           SELECT c.oid FROM pg_constraint AS c
                           LEFT JOIN pg_type AS t ON t.oid = c.contypid
                           WHERE c.conrelid IN (SELECT oid FROM relations)
                              OR t.typnamespace IN (SELECT oid FROM spaces)  -- of a domain
                                 AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = 'pg_type'::regclass
                                                                             AND e.objid = t.oid AND e.deptype = 'e'))
                      OR u.classid = 'pg_trigger'::regclass AND u.objid IN (SELECT t.oid FROM pg_trigger AS t
                                                                            JOIN relations AS r ON r.oid = t.tgrelid)))))
