set_config('twinstore.applying_keys',
                         (SELECT string_agg(md5({proof} || {prefix} || key), '') FROM unnest(_keys) AS key), true)
