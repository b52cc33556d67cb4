UPDATE {table} SET ({columns}) = ROW({values_given})
      FROM (SELECT _parts[at] AS parts_, _rows[at] AS row_ FROM unnest(_writing) AS at
            WHERE at = ANY (_there) AND _rows[at] IS NOT NULL) AS given
      WHERE {has_key_of_given};
      GET DIAGNOSTICS _written = ROW_COUNT;
      INSERT INTO {table} ({columns})
      SELECT {values_given} FROM (SELECT _rows[at] AS row_ FROM unnest(_writing) AS at
                                  WHERE at <> ALL (_there) AND _rows[at] IS NOT NULL) AS given
      ON CONFLICT ({key_columns}) DO NOTHING;
      GET DIAGNOSTICS _found = ROW_COUNT;
      _written := _written + _found;
      DELETE FROM {table}
      USING (SELECT _parts[at] AS parts_ FROM unnest(_writing) AS at
             WHERE at = ANY (_there) AND _rows[at] IS NULL) AS given
      WHERE {has_key_of_given};
      GET DIAGNOSTICS _found = ROW_COUNT;
      _written := _written + _found;
      IF _written <> (SELECT count(*) FROM unnest(_writing) AS at WHERE at = ANY (_there) OR _rows[at] IS NOT NULL) THEN
        RAISE EXCEPTION USING ERRCODE = 'TW003', MESSAGE = 'not every row was written';
      END IF;
