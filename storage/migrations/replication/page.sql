-- Rows that fit the filters of $1, newest change first, those without an instant last: at most $3, those after the place
-- $2, the list of instant and key of the last row of the page before; a `search` is looked for in any part of the title.
BEGIN
  RETURN (
    SELECT jsonb_build_object('list', coalesce(jsonb_agg(jsonb_build_object(
        'key', found.key, 'at', found.at::text, 'row', found.texts,
        'id', (SELECT max(line.id) FROM twinstore.change AS line
               WHERE line.dataset = {dataset} AND line.key = found.key))
        ORDER BY found.at DESC, found.key DESC), '[]'))
    FROM (SELECT {key} AS key, {instant} AS at, to_jsonb(ARRAY[{raw}]) AS texts
          FROM {table}
          WHERE {filters}
            AND ($2 IS NULL OR ({instant}, {key}) < (($2 ->> 0)::timestamp(3), ($2 ->> 1) COLLATE "C"))
          ORDER BY {instant} DESC, {key} DESC
          LIMIT $3) AS found);
END
