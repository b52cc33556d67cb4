_outcome := 'applied';
          IF _row IS NOT NULL AND _is_there THEN
            UPDATE {table} SET ({columns}) = ROW({values}) WHERE {has_key_at};
          ELSIF _row IS NOT NULL THEN
            INSERT INTO {table} ({columns}) VALUES ({values}) ON CONFLICT ({key_columns}) DO NOTHING;
          ELSIF _is_there THEN
            DELETE FROM {table} WHERE {has_key_at};
          END IF;
          IF NOT FOUND AND (_is_there OR _row IS NOT NULL) THEN
            IF _is_there THEN  -- by a trigger that takes rows back
              RAISE EXCEPTION USING ERRCODE = 'TW003', MESSAGE = 'a write was suppressed';
            END IF;
            _outcome := 'locked';  -- somebody was faster
          END IF;
