PERFORM set_config('twinstore.applying', '', true), set_config('twinstore.applying_keys', '', true);
  RETURN (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'key', _keys[at], 'outcome', _outcomes[at], 'rev', _told[at],
        'code', _refusals -> at::text -> 0, 'rule', _refusals -> at::text -> 1) ORDER BY at), '[]')
    FROM generate_subscripts(_keys, 1) AS at);
