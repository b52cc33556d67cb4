-- The rows in the ranges of $4, all of them from $2 to $3, summed into three tables of $5 cells each.
SELECT jsonb_build_object(
  'total', count(*),
  'list', coalesce(jsonb_agg(jsonb_build_array(cell, total, keys::text, sum1::text, sum2::text, checks::text)), '[]'))
FROM ({sketched}) AS sketched
