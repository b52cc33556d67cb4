ARRAY(SELECT id FROM twinstore.change WHERE dataset = {dataset} AND id <= $2 ORDER BY id LIMIT {portion})
