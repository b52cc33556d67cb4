
  'held', EXISTS (SELECT FROM twinstore.change
                  WHERE dataset = {dataset} AND horizon > pg_snapshot_xmin(pg_current_snapshot())),
