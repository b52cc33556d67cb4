INSERT INTO twinstore.row_state AS state (dataset, key, lseq)
  SELECT {dataset}, acks.key, acks.id FROM unnest(_keys, _ids) AS acks(key, id) ORDER BY acks.key
  ON CONFLICT (dataset, key) DO UPDATE SET lseq = excluded.lseq WHERE state.lseq < excluded.lseq;
