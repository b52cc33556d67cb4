
    'ready', NOT EXISTS (SELECT FROM twinstore.change AS last
                         WHERE last.id = lines.id AND last.horizon > pg_snapshot_xmin(pg_current_snapshot())),
