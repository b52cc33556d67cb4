SELECT lines.rev, lines.waits,
               lines.changed OR given.base < held.rev AND held.rev > _adopted
               OR given.base > lines.rev AND given.base > _adopted
               OR EXISTS (SELECT FROM twinstore.conflict AS open WHERE open.dataset = {dataset} AND open.key = given.key
                          AND open.kind = 'adopted' AND open.resolved_at IS NULL) AS moved
        FROM (SELECT greatest(held.rev, max(line.id)) AS rev, coalesce(bool_or(line.id > given.base), false) AS waits,
                     coalesce(bool_or(line.id > given.base AND NOT line.proposed), false) AS changed
              FROM twinstore.change AS line WHERE line.dataset = {dataset} AND line.key = given.key) AS lines
