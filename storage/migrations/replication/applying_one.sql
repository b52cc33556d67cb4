set_config('twinstore.applying_keys', md5({prefix} || _keys[_at]), true)
