
  'held', EXISTS (SELECT FROM (SELECT horizon FROM twinstore.change WHERE dataset = {dataset} LIMIT {many} + 1) AS first
                  WHERE horizon > pg_snapshot_xmin(pg_current_snapshot())),
