BEGIN  -- in the order of keys, as `settle` does; afterwards nothing here waits for a state
    INSERT INTO twinstore.row_state (dataset, key)
    SELECT {dataset}, given.key FROM unnest(_keys) AS given(key)
    WHERE NOT EXISTS (SELECT FROM twinstore.row_state AS state
                      WHERE state.dataset = {dataset} AND state.key = given.key)
    ORDER BY given.key ON CONFLICT DO NOTHING;
  EXCEPTION WHEN {waits} THEN NULL;  -- another relay makes some of them: those are left for the next time
  END;
