"""The statements by which rows are brought back: those of a backup lie in a temporary table beside the real one."""

from __future__ import annotations

COPIED = "twinstore_restored_{}"
MAKE = """
CREATE TEMPORARY TABLE {copied} ON COMMIT DROP AS
SELECT {columns}, false AS {otherwise} FROM {table} AS t WITH NO DATA
"""
INDEX = "CREATE UNIQUE INDEX ON {copied} ({key})"
ANALYZE = "ANALYZE {copied}"
LOCK = "LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"
DROP = "DROP TABLE {copied}"
COUNT = "SELECT count(*) FROM {table}"
COUNT_GOING = """
SELECT count(*) FROM {table} AS t WHERE NOT EXISTS (SELECT FROM {copied} AS r WHERE {same_key})
"""
COUNT_CHANGING = """
SELECT count(*) FROM {table} AS t JOIN {copied} AS r ON {same_key} WHERE {row} IS DISTINCT FROM {copied_row}
"""
DELETE = "DELETE FROM {table} AS t WHERE NOT EXISTS (SELECT FROM {copied} AS r WHERE {same_key})"
MARK = """
UPDATE {copied} AS r SET {otherwise} = true FROM {table} AS t
WHERE {same_key} AND {row} IS DISTINCT FROM {copied_row}
"""
MARK_NUMBERED = """
UPDATE {copied} AS r SET {otherwise} = true FROM {table} AS t
WHERE {same_key} AND {numbers} IS DISTINCT FROM {copied_numbers}
"""
CHANGE = "UPDATE {table} AS t SET {settings} FROM {copied} AS r WHERE {same_key} AND r.{otherwise}"
UNMARK = "UPDATE {copied} AS r SET {otherwise} = NULL WHERE r.{otherwise}"
TAKE = "DELETE FROM {table} AS t USING {copied} AS r WHERE {same_key} AND r.{otherwise}"
INSERT = """
INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {columns} FROM {copied} AS r WHERE NOT EXISTS (SELECT FROM {table} AS t WHERE {same_key})
"""
UNLIKE = """
SELECT count(*) FROM {table} AS t FULL JOIN {copied} AS r ON {same_key} WHERE {row} IS DISTINCT FROM {copied_row}
"""
OF_ANOTHER_TABLE = """
SELECT DISTINCT c.oid::regclass::text FROM {table} AS t JOIN pg_class AS c ON c.oid = t.tableoid
WHERE NOT c.relispartition AND c.oid <> {name}::regclass ORDER BY 1 LIMIT 1
"""
DIGEST = """
SELECT count(*), sum(hashtextextended({row} COLLATE "C", 0)::numeric) FROM {table} AS t
"""

GIVE_BACK = """
SELECT name, set_config(name, substr(setting, strpos(setting, '=') + 1), true)
FROM pg_db_role_setting, unnest(setconfig) AS setting, split_part(setting, '=', 1) AS name
WHERE setrole = 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
CAST = "{column}::{there}"
WRITTEN = "CASE WHEN {column} IS DISTINCT FROM NULL THEN concat({column}) END"  # with the blanks of a char(n)
BY_TEXT = "({written})::{there}"
AS_TEXT = "{column}::text"
CONVERTIBLE = "SELECT {value} FROM {table} AS t LIMIT 0"
LOSES = """
SELECT EXISTS (
  SELECT FROM {table} AS t WHERE to_jsonb(({value})::{back}) IS DISTINCT FROM to_jsonb({column})
)
"""
WRITES_OTHERWISE = "SELECT EXISTS (SELECT FROM {table} AS t WHERE ({value})::text IS DISTINCT FROM {written})"
CUTS = "SELECT EXISTS (SELECT FROM {table} AS t WHERE ({value})::{whole} IS DISTINCT FROM {column}::{whole})"
EMPTIES = "SELECT EXISTS (SELECT FROM {table} AS t WHERE num_nulls({value}) <> num_nulls({column}))"
NO_PLAIN_JSON = """
SELECT EXISTS (
  SELECT FROM {table} AS t
  WHERE num_nulls({value}) <> num_nulls({column}) OR ({written}) IS NOT JSON WITH UNIQUE KEYS
)
"""

SEQUENCES = r"""
SELECT n.nspname, s.relname, a.attname, q.seqincrement > 0, q.seqmin, q.seqmax
FROM (
  SELECT objid AS sequence, refobjid AS relation, refobjsubid AS place FROM pg_depend
  WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')
  UNION  -- those of which a default, or that of a domain, takes its numbers, whoever owns them
  SELECT d.refobjid, f.relation, f.place
  FROM (SELECT tableoid, oid, adrelid, adnum, pg_get_expr(adbin, adrelid) FROM pg_attrdef
        UNION ALL
        SELECT y.tableoid, y.oid, a.attrelid, a.attnum, pg_get_expr(y.typdefaultbin, 0)
        FROM pg_attribute AS a JOIN pg_type AS y ON y.oid = a.atttypid
        WHERE NOT a.atthasdef) AS f (catalogue, oid, relation, place, given)
  JOIN pg_depend AS d ON d.classid = f.catalogue AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
  WHERE f.given  -- as it is, or cast: anything else gives other numbers than the sequence
        ~ '^\(*nextval\(''([^'']|'''')*''::regclass\)(\)*::["[:alnum:]_. ]+(\([0-9, -]+\))?)*\)*$'
) AS used
JOIN pg_class AS s ON s.oid = used.sequence AND s.relkind = 'S'
JOIN pg_sequence AS q ON q.seqrelid = s.oid
JOIN pg_namespace AS n ON n.oid = s.relnamespace
JOIN pg_attribute AS a ON a.attrelid = used.relation AND a.attnum = used.place
CROSS JOIN LATERAL (
  WITH RECURSIVE base AS (
    SELECT oid, typbasetype FROM pg_type WHERE oid = a.atttypid
    UNION ALL
    SELECT y.oid, y.typbasetype FROM base JOIN pg_type AS y ON y.oid = base.typbasetype)
  SELECT oid FROM base WHERE typbasetype = 0) AS y
WHERE used.relation = %s::regclass
  AND y.oid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'numeric'::regtype)
"""
ADVANCE = """
SELECT setval({name}::regclass, r.furthest::bigint)
FROM (SELECT {furthest}({column}) AS furthest FROM {table} WHERE {column} BETWEEN {least} AND {most}) AS r,
     {sequence} AS s
WHERE r.furthest {beyond} s.last_value OR r.furthest = s.last_value AND NOT s.is_called
"""

IDENTITY = "SELECT to_regclass('twinstore.identity') IS NOT NULL"
CAPTURED = "SELECT to_regclass('twinstore.capture') IS NOT NULL"
APPLYING = "SELECT set_config('twinstore.applying', 'on', true)"  # triggers of ours keep what is written
IDLE = "SELECT set_config('idle_in_transaction_session_timeout', %s, true)"
IMMEDIATE = "SET CONSTRAINTS ALL IMMEDIATE"
FORGET = """
WITH ours AS (  -- of what is seen, only our transaction and parts of it are in progress
  SELECT DISTINCT dataset, key FROM twinstore.change
  WHERE age(xmin) <= 0
    AND pg_xact_status((pg_current_xact_id()::text::bigint - age(xmin))::text::xid8) = 'in progress'),
gone AS (
  DELETE FROM twinstore.change AS line USING ours
  WHERE (line.dataset, line.key) = (ours.dataset, ours.key)
  RETURNING line.dataset)
SELECT DISTINCT dataset FROM gone
"""
GAP = """
UPDATE twinstore.capture
SET gap_at = coalesce(gap_at, clock_timestamp()), gap_reason = coalesce(gap_reason, %s)
WHERE dataset = ANY (%s)
"""
HALT = "UPDATE twinstore.capture SET adopted_at = NULL WHERE dataset = ANY (%s)"
