"""The statements by which rows are brought back: those of a backup lie in a temporary table beside the real one."""

from __future__ import annotations

COPIED = "twinstore_restored"
MAKE = "CREATE TEMPORARY TABLE {copied} ON COMMIT DROP AS SELECT {columns} FROM {table} AS t WITH NO DATA"
COUNT_GOING = """
SELECT count(*) FROM {table} AS t WHERE NOT EXISTS (SELECT FROM {copied} AS r WHERE {same_key})
"""
DELETE = "DELETE FROM {table} AS t WHERE NOT EXISTS (SELECT FROM {copied} AS r WHERE {same_key})"
CHANGE = """
UPDATE {table} AS t SET {settings} FROM {copied} AS r WHERE {same_key} AND {row} IS DISTINCT FROM {copied_row}
"""
INSERT = """
INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {columns} FROM {copied} AS r WHERE NOT EXISTS (SELECT FROM {table} AS t WHERE {same_key})
"""
UNLIKE = """
SELECT count(*) FROM {table} AS t FULL JOIN {copied} AS r ON {same_key} WHERE {row} IS DISTINCT FROM {copied_row}
"""

SEQUENCES = """
SELECT format('%%I.%%I', n.nspname, s.relname), a.attname
FROM pg_depend AS d JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_namespace AS n ON n.oid = s.relnamespace
JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  AND d.refobjid = %s::regclass
"""
ADVANCE = """
SELECT setval({name}::regclass, greatest(max({column}), pg_sequence_last_value({name}::regclass))) FROM {table}
HAVING max({column}) IS NOT NULL
"""

IDENTITY = "SELECT to_regclass('twinstore.identity') IS NOT NULL"
CAPTURED = "SELECT to_regclass('twinstore.capture') IS NOT NULL"
APPLYING = "SELECT set_config('twinstore.applying', 'on', true)"  # triggers of ours keep what is written
SEARCH_PATH = "SELECT set_config('search_path', %s, true)"
FORGET = "DELETE FROM twinstore.change WHERE dataset = %s AND xmin = pg_current_xact_id()::xid"
GAP = """
UPDATE twinstore.capture
SET gap_at = coalesce(gap_at, clock_timestamp()), gap_reason = coalesce(gap_reason, %s) WHERE dataset = %s
"""
HALT = "UPDATE twinstore.capture SET adopted_at = NULL WHERE dataset = %s"
