-- Keys with lines after $1, from $2 lines, each with its last line and its row as of one moment. `next` is the line to
-- go on after; NULL when there are no more.
BEGIN
  RETURN (
    WITH lines AS MATERIALIZED (
      SELECT id, key, parts FROM twinstore.change WHERE dataset = {dataset} AND id > $1 ORDER BY id LIMIT $2),
    picked AS (SELECT key, min(parts) AS parts, min(id) AS place FROM lines GROUP BY key)
    SELECT jsonb_build_object(
      'next', (SELECT CASE WHEN count(*) = $2 THEN max(id) END FROM lines),
      'list', coalesce((SELECT jsonb_agg(item ORDER BY place) FROM ({items}) AS items), '[]')));
END
