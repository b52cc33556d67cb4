'max_rev', (SELECT max(rev) FROM twinstore.row_state WHERE dataset = {dataset}),
  'heard', (SELECT coalesce(jsonb_agg(jsonb_build_array(
              key, rev, CASE WHEN lseq > {base} THEN lseq ELSE 0 END)), '[]')
            FROM ((SELECT key, rev, lseq FROM twinstore.row_state
                   WHERE dataset = {dataset} ORDER BY rev DESC LIMIT {newest})
                  UNION
                  (SELECT key, rev, lseq FROM twinstore.row_state
                   WHERE dataset = {dataset} ORDER BY lseq DESC LIMIT {newest})) AS newest),
  'forgot', EXISTS (
    SELECT FROM jsonb_array_elements({other_heard}) AS given(item)
    LEFT JOIN twinstore.row_state AS held ON held.dataset = {dataset} AND held.key = given.item ->> 0
    WHERE (given.item ->> 1)::bigint > coalesce(held.rev, 0)
       OR (given.item ->> 2)::bigint > greatest({base}, held.lseq)
          AND NOT EXISTS (SELECT FROM twinstore.change AS line
                          WHERE line.dataset = {dataset} AND line.key = given.item ->> 0
                            AND line.id = (given.item ->> 2)::bigint))
