SELECT line.dataset, line.key, line.parts,
             (SELECT min(first.at) FROM twinstore.change AS first
              WHERE first.dataset = line.dataset AND first.key = line.key) AS at{proposed_of_line}
      FROM twinstore.change AS line
      WHERE line.dataset = {dataset} AND line.id <= $2
        AND NOT EXISTS (SELECT FROM twinstore.change AS later
                        WHERE later.dataset = line.dataset AND later.key = line.key AND later.id > line.id)
