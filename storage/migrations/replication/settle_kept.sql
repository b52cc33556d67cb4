INSERT INTO twinstore.row_state AS state (dataset, key, rev, delivered)
  SELECT {dataset}, acks.key, acks.id, acks.id FROM unnest(_keys, _ids) AS acks(key, id) ORDER BY acks.key
  ON CONFLICT (dataset, key) DO UPDATE
  SET rev = greatest(state.rev, excluded.rev), delivered = greatest(state.delivered, excluded.delivered);
  DELETE FROM twinstore.delivery AS tried
  WHERE tried.dataset = {dataset} AND tried.key = ANY (_keys) AND tried.direction = 'to_secondary';
