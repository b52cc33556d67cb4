-- Key and hashes of every row in the ranges of $4, all of them from $2 to $3, by range and key; number of rows and
-- digest of each of these ranges, as of the very moment of the pairs.
WITH pairs AS MATERIALIZED (SELECT b, k, h1, h2 FROM ({hashed}) AS hashed)
SELECT jsonb_build_object(
  'counts', (SELECT coalesce(jsonb_agg(jsonb_build_array(b, total)), '[]') FROM ({counted_of_some}) AS counted),
  'digests', (SELECT coalesce(jsonb_agg(jsonb_build_array(b, total, sum1::text, sum2::text)), '[]')
              FROM (SELECT b, count(*) AS total, sum(h1) AS sum1, sum(h2) AS sum2 FROM pairs GROUP BY b) AS digested),
  'pairs', (SELECT coalesce(jsonb_agg(jsonb_build_array(k, h1::text, h2::text) ORDER BY b, k), '[]') FROM pairs))
