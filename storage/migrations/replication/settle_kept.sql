,
  kept AS (
    INSERT INTO twinstore.row_state AS state (dataset, key, rev, delivered)
    SELECT {dataset}, key, id, id FROM acks ORDER BY key
    ON CONFLICT (dataset, key) DO UPDATE
    SET rev = greatest(state.rev, excluded.rev), delivered = greatest(state.delivered, excluded.delivered)),
  mended AS (
    DELETE FROM twinstore.delivery AS tried USING acks
    WHERE tried.dataset = {dataset} AND tried.key = acks.key AND tried.direction = 'to_secondary')
