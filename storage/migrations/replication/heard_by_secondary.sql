'max_rev', (SELECT max(rev) FROM twinstore.row_state WHERE dataset = {dataset})
