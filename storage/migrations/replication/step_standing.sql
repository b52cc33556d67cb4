SELECT given.at, live.texts,
         CASE WHEN live.texts IS NOT DISTINCT FROM given.after THEN 'already'
              WHEN live.texts IS DISTINCT FROM given.before THEN 'moved'
              WHEN given.mark <> {mark} OR given.is_there <> (live.texts IS NOT NULL) THEN 'locked'
              WHEN given.line IS DISTINCT FROM lines.last THEN 'waiting' END AS outcome
  FROM (SELECT at, _keys[at] AS key, _parts[at] AS parts_, _before[at] AS before, _rows[at] AS after, _lines[at] AS line,
               _marks[at] AS mark, at = ANY (_there) AS is_there FROM unnest(_asked) AS at) AS given
  LEFT JOIN LATERAL (SELECT to_jsonb(ARRAY[{raw}]) AS texts, xmin::text AS version
                     FROM {table} WHERE {has_key_of_given}) AS live ON true
  LEFT JOIN twinstore.row_state AS held ON held.dataset = {dataset} AND held.key = given.key
  CROSS JOIN LATERAL (SELECT max(line.id) AS last FROM twinstore.change AS line
                      WHERE line.dataset = {dataset} AND line.key = given.key) AS lines
