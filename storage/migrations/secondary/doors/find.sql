-- The rows in the ranges from $2 to $3 whose key has one of the hashes of $4.
SELECT jsonb_build_object(
  'total', count(*),
  'list', coalesce(jsonb_agg(jsonb_build_array(k, h1::text, h2::text)), '[]'))
FROM ({found}) AS found
