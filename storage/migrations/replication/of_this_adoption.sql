SELECT {adoption}::text INTO _adoption FROM twinstore.capture
  WHERE dataset = {dataset} FOR KEY SHARE SKIP LOCKED;  -- who begins an adoption waits for it, and who notes a gap does not
  IF EXISTS (SELECT FROM jsonb_array_elements($1) AS item
             WHERE _adoption IS NULL OR item ->> 'adoption' IS DISTINCT FROM _adoption) THEN
    RETURN (SELECT jsonb_agg(jsonb_build_object('key', item ->> 'key', 'outcome', {turned_away}, 'rev', NULL,
                                                'code', NULL, 'rule', NULL) ORDER BY at)
            FROM jsonb_array_elements($1) WITH ORDINALITY AS listed(item, at));
  END IF;
