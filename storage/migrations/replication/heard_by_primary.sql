'max_seen', (SELECT max(seen) FROM twinstore.row_state WHERE dataset = {dataset}),
  'heard', (SELECT coalesce(jsonb_agg(jsonb_build_array(
              key, CASE WHEN delivered > {base} THEN delivered ELSE 0 END, seen)), '[]')
            FROM ((SELECT key, delivered, seen FROM twinstore.row_state
                   WHERE dataset = {dataset} ORDER BY delivered DESC LIMIT {newest})
                  UNION
                  (SELECT key, delivered, seen FROM twinstore.row_state
                   WHERE dataset = {dataset} ORDER BY seen DESC LIMIT {newest})) AS newest),
  'forgot', EXISTS (
    SELECT FROM jsonb_array_elements({other_heard}) AS given(item)
    LEFT JOIN twinstore.row_state AS held ON held.dataset = {dataset} AND held.key = given.item ->> 0
    WHERE (given.item ->> 1)::bigint > greatest({base}, held.rev)
          AND NOT EXISTS (SELECT FROM twinstore.change AS line
                          WHERE line.dataset = {dataset} AND line.key = given.item ->> 0
                            AND line.id = (given.item ->> 1)::bigint)
       OR (given.item ->> 2)::bigint > coalesce(held.seen, 0))
