PERFORM {applying_all};
      INSERT INTO twinstore.row_state (dataset, key)
      SELECT {dataset}, key FROM unnest(_keys) AS key ORDER BY key ON CONFLICT DO NOTHING;
