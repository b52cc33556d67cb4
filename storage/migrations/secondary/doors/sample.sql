-- Up to $2 keys, chosen at random from $1 percent of the table's pages.
SELECT jsonb_build_object(
  'total', count(*),
  'list', coalesce(jsonb_agg(k), '[]'))
FROM ({sampled}) AS sampled
