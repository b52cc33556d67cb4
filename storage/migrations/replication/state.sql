(SELECT jsonb_build_object(
  'script', {checksum},
  'identity', (SELECT id FROM twinstore.identity),
  'now', now(),
  'server', pg_postmaster_start_time(),
  'capture', (SELECT jsonb_build_object(
      'since', since, 'gap_at', gap_at, 'gap_reason', gap_reason{adopted}, 'adoption', {adoption},
      'same_table', relation IS NOT DISTINCT FROM to_regclass({relation})::oid,
      'triggers', {in_place})
    FROM twinstore.capture WHERE dataset = {dataset}),
  'dirty', (SELECT CASE WHEN sum(lines) > {many} THEN {many} + 1 ELSE count(*) END
            FROM (SELECT count(*) AS lines
                  FROM (SELECT key FROM twinstore.change WHERE dataset = {dataset} LIMIT {many} + 1) AS first
                  GROUP BY key) AS keys),{held}
  'oldest_at', (SELECT min(at) FROM (SELECT at FROM twinstore.change WHERE dataset = {dataset}
                                     ORDER BY id LIMIT {many} + 1) AS first),
  {heard},
  'last_change', coalesce(pg_sequence_last_value(pg_get_serial_sequence('twinstore.change', 'id')::regclass), 0)))
