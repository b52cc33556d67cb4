SELECT array_agg(CASE WHEN given.at = ANY (_writing) THEN live.texts ELSE _left[given.at] END ORDER BY given.at)
      INTO _left
      FROM unnest(_parts) WITH ORDINALITY AS given(parts_, at)
      LEFT JOIN LATERAL (SELECT to_jsonb(ARRAY[{raw}]) AS texts
                         FROM {table} WHERE given.at = ANY (_writing) AND {has_key_of_given}) AS live ON true;
      IF EXISTS (SELECT FROM unnest(_writing) AS at WHERE _rows[at] IS NOT NULL AND _left[at] IS NULL) THEN
        RAISE EXCEPTION USING ERRCODE = 'TW003', MESSAGE = 'a row was not written under its key';
      END IF;
      IF EXISTS (SELECT FROM unnest(_writing) AS place
                 WHERE _before[place] IS NULL AND _lines[place] IS DISTINCT FROM (
                   SELECT max(line.id) FROM twinstore.change AS line
                   WHERE line.dataset = {dataset} AND line.key = _keys[place])) THEN  -- where there was no row to hold
        RAISE EXCEPTION USING ERRCODE = 'TW005', MESSAGE = 'a row came and went';
      END IF;
