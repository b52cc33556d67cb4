"""The statements of the book that the relay keeps on the primary."""

from __future__ import annotations

from storage.migrations.texts import text

WAITING = """
SELECT key, change_id FROM twinstore.delivery
WHERE dataset = %s AND direction = %s AND key = ANY(%s) AND (dead_at IS NOT NULL OR next_at > clock_timestamp())
"""
ATTEMPTS = """
SELECT key, attempts FROM twinstore.delivery WHERE dataset = %s AND direction = %s AND key = ANY(%s)
                                               AND (key, change_id) IN (SELECT * FROM unnest(%s::text[], %s::bigint[]))
"""
NOTE = """
INSERT INTO twinstore.delivery AS held (dataset, key, direction, change_id, attempts, next_at, code, rule, dead_at)
VALUES (%(dataset)s, %(key)s, %(direction)s, %(change)s, %(attempts)s,
        clock_timestamp() + make_interval(secs => %(wait_s)s), %(code)s, %(rule)s,
        CASE WHEN %(dead)s THEN clock_timestamp() END)
ON CONFLICT (dataset, key, direction) DO UPDATE
SET change_id = excluded.change_id, attempts = excluded.attempts, next_at = excluded.next_at, code = excluded.code,
    rule = excluded.rule, dead_at = excluded.dead_at,
    first_at = CASE WHEN held.change_id = excluded.change_id THEN held.first_at ELSE excluded.first_at END
"""
TROUBLED = """
SELECT key, direction, change_id, code, rule, attempts, first_at, dead_at FROM twinstore.delivery
WHERE dataset = %s AND (dead_at IS NOT NULL OR NOT %s) ORDER BY first_at, key LIMIT %s
"""
COUNTS = """
SELECT (SELECT count(*) FROM twinstore.conflict WHERE dataset = %(dataset)s AND resolved_at IS NULL),
       (SELECT count(*) FROM twinstore.delivery WHERE dataset = %(dataset)s AND dead_at IS NOT NULL),
       (SELECT count(*) FROM twinstore.delivery WHERE dataset = %(dataset)s AND dead_at IS NULL)
"""
RETRY = """
WITH dead AS MATERIALIZED (  -- in the order in which refusals are noted
  SELECT key, direction FROM twinstore.delivery
  WHERE dataset = %(dataset)s AND dead_at IS NOT NULL AND (%(keys)s::text[] IS NULL OR key = ANY(%(keys)s))
  ORDER BY key COLLATE "C", direction FOR UPDATE)
DELETE FROM twinstore.delivery AS gone USING dead
WHERE gone.dataset = %(dataset)s AND gone.key = dead.key AND gone.direction = dead.direction
  AND gone.dead_at IS NOT NULL
"""
FORGET_LETTER = """
DELETE FROM twinstore.delivery WHERE dataset = %s AND key = %s AND direction = %s AND change_id = %s
"""
ANSWERED = """
WITH tried AS MATERIALIZED (  -- in the order in which refusals are noted
  SELECT key FROM twinstore.delivery WHERE dataset = %(dataset)s AND key = ANY(%(keys)s) AND direction = 'to_primary'
  ORDER BY key COLLATE "C" FOR UPDATE)
DELETE FROM twinstore.delivery AS gone USING tried
WHERE gone.dataset = %(dataset)s AND gone.key = tried.key AND gone.direction = 'to_primary'
"""
CONFLICTS = """
SELECT id, key, kind, found_at, columns, loser, resolved_at, resolution FROM twinstore.conflict
WHERE dataset = %(dataset)s AND (%(all)s OR resolved_at IS NULL) AND (%(keys)s::text[] IS NULL OR key = ANY(%(keys)s))
ORDER BY id LIMIT %(at_most)s
"""
DISPUTED = """
SELECT DISTINCT key FROM twinstore.conflict WHERE dataset = %s AND key = ANY(%s) AND resolved_at IS NULL
"""
DEAD = """
SELECT key, direction, change_id FROM twinstore.delivery WHERE dataset = %s AND key = ANY(%s) AND dead_at IS NOT NULL
"""
UNDECIDED = "SELECT id FROM twinstore.conflict WHERE id = %s AND resolved_at IS NULL FOR UPDATE"
RESOLVE = "UPDATE twinstore.conflict SET resolved_at = clock_timestamp(), resolution = %s WHERE id = %s"
KEEP = """
INSERT INTO twinstore.conflict (dataset, columns, key, kind, rev, lseq, loser)
SELECT given.* FROM (VALUES (%s, %s::text[], %s, %s, %s, %s::bigint, %s::jsonb))
                 AS given(dataset, columns, key, kind, rev, lseq, loser)
WHERE NOT EXISTS (SELECT FROM twinstore.conflict AS held
                  WHERE (held.dataset, held.key, held.kind) = (given.dataset, given.key, given.kind)
                    AND held.loser IS NOT DISTINCT FROM given.loser AND held.resolved_at IS NULL)
ON CONFLICT (dataset, key, lseq) DO NOTHING
"""
TOUCH = "INSERT INTO twinstore.change (dataset, key, parts) VALUES (%s, %s, %s) RETURNING id"
MARK = "UPDATE twinstore.change SET horizon = '0' WHERE id = ANY(%s)"
HORIZON = f"UPDATE twinstore.change SET horizon = {text('replication/horizon.sql')} WHERE id = ANY(%s)"  # noqa: S608 - a file of ours
GIVE_UP = """
WITH gone AS (DELETE FROM twinstore.change WHERE dataset = %(dataset)s AND key = %(key)s AND id <= %(change)s)
INSERT INTO twinstore.row_state AS held (dataset, key, rev) VALUES (%(dataset)s, %(key)s, %(change)s)
ON CONFLICT (dataset, key) DO UPDATE SET rev = greatest(held.rev, excluded.rev)
"""
SEEN = """
INSERT INTO twinstore.row_state AS held (dataset, key, seen) VALUES (%s, %s, %s)
ON CONFLICT (dataset, key) DO UPDATE SET seen = greatest(held.seen, excluded.seen)
"""
GAP = """
UPDATE twinstore.capture SET gap_at = clock_timestamp(), gap_reason = %s
WHERE dataset = %s AND gap_at IS NULL AND adopted_at IS NOT NULL AND adoption = %s
"""
ADOPT = f"""
UPDATE twinstore.capture
SET adopted_at = clock_timestamp(), adopted_rev = (SELECT number FROM {text("replication/last_number.sql")} AS last)
WHERE dataset = %s AND adoption = %s AND gap_at IS NULL
"""  # noqa: S608 - a file of ours
HALT = "UPDATE twinstore.capture SET adopted_at = NULL, adoption = %s WHERE dataset = %s"
UNDER_WAY = "SELECT FROM twinstore.capture WHERE dataset = %s FOR UPDATE"
