-- Up to $1 of the keys that cannot be replicated, smallest first.
SELECT jsonb_build_object(
  'total', count(*),
  'list', coalesce(jsonb_agg(k ORDER BY k), '[]'))
FROM ({excluded}) AS excluded
