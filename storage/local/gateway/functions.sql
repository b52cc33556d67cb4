-- The functions of the exposed schemas: parameters, what they return, and settings of their own.
SELECT n.nspname AS schema,
       p.proname AS name,
       p.provolatile AS volatility,
       p.proretset AS returns_set,
       t.oid = 'pg_catalog.void'::pg_catalog.regtype AS returns_void,
       t.typtype = 'c'
           OR t.oid = 'pg_catalog.record'::pg_catalog.regtype
           OR coalesce(p.proargmodes && '{t,b,o}'::"char"[], FALSE) AS returns_rows,
       coalesce(p.proconfig, '{}') AS settings,
       ARRAY(
           SELECT ARRAY[
                      coalesce(inputs.names[part.place], ''),
                      pg_catalog.format_type(part.type, NULL),
                      (part.place <= p.pronargs - p.pronargdefaults)::text,
                      (p.provariadic <> 0 AND part.place = p.pronargs)::text
                  ]
             FROM pg_catalog.unnest(p.proargtypes::oid[]) WITH ORDINALITY AS part (type, place)
            ORDER BY part.place
       ) AS parameters
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_type AS t ON t.oid = p.prorettype
 CROSS JOIN LATERAL (
           SELECT ARRAY(
                      SELECT named.name
                        FROM pg_catalog.unnest(p.proargnames) WITH ORDINALITY AS named (name, place)
                       WHERE p.proargmodes IS NULL OR p.proargmodes[named.place] IN ('i', 'b', 'v')
                       ORDER BY named.place
                  ) AS names
       ) AS inputs
 WHERE p.prokind = 'f' AND n.nspname = ANY (%(schemas)s);
