SELECT jsonb_build_object(
    'key', picked.key, 'parts', to_jsonb(picked.parts), 'id', lines.id, 'since', lines.since,{ready}
    'rev', coalesce(held.rev, 0){seen}{server}, 'known', {known}, 'row', live.texts, 'mark', {mark},
    'adoption', (SELECT {adoption} FROM twinstore.capture WHERE dataset = {dataset})) AS item, picked.place
FROM picked
CROSS JOIN LATERAL (SELECT max(id) AS id, min(at) AS since FROM twinstore.change
                    WHERE dataset = {dataset} AND key = picked.key) AS lines
LEFT JOIN twinstore.row_state AS held ON held.dataset = {dataset} AND held.key = picked.key
LEFT JOIN LATERAL (SELECT to_jsonb(ARRAY[{raw}]) AS texts, xmin::text AS version
                   FROM {table} WHERE {has_key_of_picked}) AS live ON true
