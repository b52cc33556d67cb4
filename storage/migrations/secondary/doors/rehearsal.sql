-- All that a comparison asks, over some rows.
SELECT jsonb_build_object(
  'digests', (SELECT coalesce(jsonb_agg(jsonb_build_array(b, total, sum1::text, sum2::text)), '[]')
              FROM ({digested}) AS digested),
  'pairs', (SELECT coalesce(jsonb_agg(jsonb_build_array(k, h1::text, h2::text)), '[]') FROM ({paired}) AS paired),
  'cells', ({cells}))
