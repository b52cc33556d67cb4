set_config('twinstore.applying_keys', md5({proof} || {prefix} || _keys[_at]), true)
