-- Number of rows and digest of every range from $2 to $3: two aggregates that share nothing but their moment.
SELECT jsonb_build_object(
  'counts', (SELECT coalesce(jsonb_agg(jsonb_build_array(b, total)), '[]') FROM ({counted}) AS counted),
  'digests', (SELECT coalesce(jsonb_agg(jsonb_build_array(b, total, sum1::text, sum2::text)), '[]')
              FROM ({digested}) AS digested))
