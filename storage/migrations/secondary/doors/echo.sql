-- The rows of $2 as the table would have held them: hashed, each column as text, in their order.
SELECT jsonb_build_object(
  'total', count(*),
  'list', coalesce(jsonb_agg(jsonb_build_array(k, h1::text, h2::text, to_jsonb(ARRAY[{columns}]))), '[]'))
FROM ({given}) AS given
