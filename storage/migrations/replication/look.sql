-- The same of the keys in $1, dirty or not; each is the list of its text and the list of its parts.
BEGIN
  RETURN (
    WITH picked AS (
      SELECT asked ->> 0 AS key, {parts_of_asked} AS parts, place
      FROM jsonb_array_elements($1) WITH ORDINALITY AS listed(asked, place))
    SELECT coalesce((SELECT jsonb_agg(item ORDER BY place) FROM ({items}) AS items), '[]'));
END
