-- The rows with the keys of $2, whole, each column as text; each key is the list of its parts.
SELECT jsonb_build_object(
  'total', count(*),
  'list', coalesce(jsonb_agg(jsonb_build_array(k, h1::text, h2::text, to_jsonb(ARRAY[{columns}]))), '[]'))
FROM ({rows}) AS whole
