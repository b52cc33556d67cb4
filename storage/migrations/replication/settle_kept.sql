INSERT INTO twinstore.row_state AS state (dataset, key, rev, delivered)
  SELECT {dataset}, acks.key, acks.id, acks.id FROM unnest(_keys, _ids) AS acks(key, id) ORDER BY acks.key
  ON CONFLICT (dataset, key) DO UPDATE
  SET rev = greatest(state.rev, excluded.rev), delivered = greatest(state.delivered, excluded.delivered);
  WITH tried AS MATERIALIZED (  -- in the order in which refusals are noted
    SELECT held.key FROM twinstore.delivery AS held
    WHERE held.dataset = {dataset} AND held.key = ANY (_keys) AND held.direction = 'to_secondary'
    ORDER BY held.key COLLATE "C" FOR UPDATE)
  DELETE FROM twinstore.delivery AS gone USING tried
  WHERE gone.dataset = {dataset} AND gone.key = tried.key AND gone.direction = 'to_secondary';
