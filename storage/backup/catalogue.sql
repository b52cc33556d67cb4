-- What the given schemas hold beside rows: tables, what keeps them in order, and what they need of other schemas.
-- Objects of extensions come with the extension. NOT NULL constraints are left out: older servers do not name them.
WITH spaces AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY ({schemas})),
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
    AND a.atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'numeric'::regtype))
SELECT jsonb_build_object(
  'tables', (SELECT jsonb_agg(name ORDER BY name COLLATE "C") FROM relations WHERE relkind = 'r'),
  'constraints', (
    SELECT jsonb_agg(format('%s.%I %s%s', r.name, c.conname, c.contype,
                            CASE WHEN c.convalidated THEN '' ELSE ' not valid' END) ORDER BY r.name, c.conname)
    FROM pg_constraint AS c JOIN relations AS r ON r.oid = c.conrelid
    WHERE c.contype IN ('p', 'u', 'x', 'c')
       OR c.contype = 'f' AND EXISTS (SELECT FROM relations AS other WHERE other.oid = c.confrelid)),
  'foreign_keys', (
    SELECT jsonb_agg(jsonb_build_array(r.nspname, r.relname, c.conname) ORDER BY r.name, c.conname)
    FROM pg_constraint AS c JOIN relations AS r ON r.oid = c.conrelid
    WHERE c.contype = 'f' AND NOT EXISTS (SELECT FROM relations AS other WHERE other.oid = c.confrelid)),
  'indexes', (
    SELECT jsonb_agg(format('%s.%I', r.name, c.relname) ORDER BY r.name, c.relname)
    FROM pg_index AS i JOIN relations AS r ON r.oid = i.indrelid JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indisvalid),  -- one that is not is left out of dumps
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
      AND EXISTS (SELECT FROM pg_depend AS m
                  JOIN pg_depend AS u ON u.refclassid = m.classid AND u.refobjid = m.objid AND u.deptype = 'n'
                  WHERE m.refclassid = 'pg_extension'::regclass AND m.refobjid = x.oid AND m.deptype = 'e'
                    AND m.classid <> 'pg_proc'::regclass  -- a function can be stood in for, a type cannot
                    AND (u.classid = 'pg_class'::regclass AND u.objid IN (SELECT oid FROM relations)
                      OR u.classid = 'pg_class'::regclass AND u.objid IN (SELECT i.indexrelid FROM pg_index AS i
                                                                         JOIN relations AS r ON r.oid = i.indrelid)
                      OR u.classid = 'pg_attrdef'::regclass AND u.objid IN (SELECT a.oid FROM pg_attrdef AS a
                                                                            JOIN relations AS r ON r.oid = a.adrelid)
                      OR u.classid = 'pg_trigger'::regclass AND u.objid IN (SELECT t.oid FROM pg_trigger AS t
                                                                            JOIN relations AS r ON r.oid = t.tgrelid)))))
