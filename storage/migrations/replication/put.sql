-- Write one row as an application does: key, parts, row (NULL to delete it), `expected` (the row as the caller read it,
-- NULL for one that was not there; absent when anything will do), and `request` (key and hash of what was asked for).
-- A write that capture did not see does not happen. A new request takes some away that were made three days ago.
DECLARE
  _key text := $1 ->> 'key';
  _parts text[] := {parts_of_request};
  _row jsonb := nullif($1 -> 'row', 'null');
  _request jsonb := nullif($1 -> 'request', 'null');
  _earlier record;
  _before jsonb;
  _after jsonb;
  _there boolean;
  _last bigint;
  _line bigint;
  _answer jsonb;
BEGIN
  IF _request IS NOT NULL THEN
    INSERT INTO twinstore.request (key, hash) VALUES (_request ->> 'key', _request ->> 'hash')
    ON CONFLICT (key) DO NOTHING;
    IF NOT FOUND THEN
      SELECT held.hash, held.answer INTO _earlier FROM twinstore.request AS held WHERE held.key = _request ->> 'key';
      IF _earlier.hash IS DISTINCT FROM _request ->> 'hash' THEN
        RETURN jsonb_build_object('outcome', 'mismatch');
      END IF;
      RETURN _earlier.answer || jsonb_build_object('repeated', true);
    END IF;
    DELETE FROM twinstore.request AS held WHERE held.key = ANY (ARRAY(
      SELECT old.key FROM twinstore.request AS old WHERE old.at < clock_timestamp() - interval '72 hours'
      ORDER BY old.at LIMIT 10 FOR UPDATE SKIP LOCKED));
  END IF;
  SELECT coalesce(max(line.id), 0) INTO _last FROM twinstore.change AS line
  WHERE line.dataset = {dataset} AND line.key = _key;
  SELECT to_jsonb(ARRAY[{raw}]) INTO _before FROM {table} WHERE {has_key_asked} FOR UPDATE;
  _there := FOUND;
  _answer := jsonb_build_object('outcome', CASE WHEN _row IS NOT NULL AND _there THEN 'updated'
                                                WHEN _row IS NOT NULL THEN 'created'
                                                WHEN _there THEN 'deleted'
                                                ELSE 'missing' END);
  IF $1 ? 'expected' AND nullif($1 -> 'expected', 'null') IS DISTINCT FROM _before THEN
    _answer := jsonb_build_object('outcome', 'moved');
  ELSIF _row IS NOT NULL AND _there THEN
    UPDATE {table} SET ({columns}) = ROW({values}) WHERE {has_key_asked};
  ELSIF _row IS NOT NULL THEN
    INSERT INTO {table} ({columns}) VALUES ({values}) ON CONFLICT ({key_columns}) DO NOTHING;
    IF NOT FOUND THEN  -- somebody was faster
      _answer := jsonb_build_object('outcome', 'moved');
    END IF;
  ELSIF _there THEN
    DELETE FROM {table} WHERE {has_key_asked};
  END IF;
  IF _answer ->> 'outcome' = 'moved' THEN
    DELETE FROM twinstore.request AS held WHERE held.key = _request ->> 'key';
    RETURN _answer;
  END IF;
  IF _answer ->> 'outcome' <> 'missing' THEN
    SELECT max(line.id) INTO _line FROM twinstore.change AS line
    WHERE line.dataset = {dataset} AND line.key = _key AND line.id > _last;
    IF _line IS NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'TW001',
        MESSAGE = 'Writes to this table are not captured, so that this one would never reach the other store.',
        HINT = 'Run `twinstore doctor`, then `twinstore adopt`.';
    END IF;
  END IF;
  _answer := _answer || jsonb_build_object('id', _line);
  UPDATE twinstore.request AS held SET answer = _answer WHERE held.key = _request ->> 'key';
  SELECT to_jsonb(ARRAY[{raw}]) INTO _after FROM {table} WHERE {has_key_asked};
  RETURN _answer || jsonb_build_object('row', _after);
END
