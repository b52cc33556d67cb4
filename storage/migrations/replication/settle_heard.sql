,
  kept AS (
    INSERT INTO twinstore.row_state AS state (dataset, key, lseq) SELECT {dataset}, key, id FROM acks ORDER BY key
    ON CONFLICT (dataset, key) DO UPDATE SET lseq = excluded.lseq WHERE state.lseq < excluded.lseq)
