'max_seen', (SELECT max(seen) FROM twinstore.row_state WHERE dataset = {dataset}),
  'max_rev', (SELECT max(delivered) FROM twinstore.row_state
              WHERE dataset = {dataset}
                AND delivered > (SELECT adopted_rev FROM twinstore.capture
                                 WHERE dataset = {dataset} AND adopted_at IS NOT NULL))
