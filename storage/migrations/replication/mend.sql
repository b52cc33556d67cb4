-- Take steps of a repair, each only where the row still is as it was planned. $1 holds `items`, each with key, parts,
-- before and after (the row as it must be and as it is to be, NULL for none), line (the last one that waits, as it was
-- planned) and mark (as `look` gave it, so that a row that was written since is known even where it reads the same;
-- NULL when anything will do); and `batch`, a name by which this call is carried out once however often it is sent.
-- Without `items` it tells what became of that call; one that has not come by then is never carried out. Nothing here
-- waits for an application. All are written together where nothing is in the way, else one by one.
DECLARE
  {variables}
  _batch text := 'mend:' || {prefix} || ($1 ->> 'batch');
  _before jsonb[];
  _lines bigint[];
  _marks text[];
  _ties oid[];
  _asked integer[];
  _left jsonb[];
  _place record;
  _tie record;
  _is_tied boolean;
  _answer jsonb;
BEGIN
  IF _batch IS NOT NULL THEN
    PERFORM set_config('lock_timeout', '3s', true);  -- for a call of this name that is being carried out
    INSERT INTO twinstore.request (key, hash) VALUES (_batch, 'mend') ON CONFLICT (key) DO NOTHING;
    _is_there := NOT FOUND;
    PERFORM set_config('lock_timeout', '200ms', true);
  END IF;
  IF _is_there THEN
    SELECT held.answer INTO _answer FROM twinstore.request AS held WHERE held.key = _batch;
  END IF;
  IF _is_there OR jsonb_typeof($1 -> 'items') IS DISTINCT FROM 'array' THEN
    RETURN jsonb_build_object('items', (
      SELECT jsonb_agg(told.item - 'left' || jsonb_build_object(
          'row', CASE WHEN md5(live.texts::text) = told.item ->> 'left' THEN live.texts END) ORDER BY told.at)
      FROM (SELECT listed.item, listed.at, listed.item -> 'parts' AS parts_
            FROM jsonb_array_elements(_answer) WITH ORDINALITY AS listed(item, at)) AS told
      LEFT JOIN LATERAL (SELECT to_jsonb(ARRAY[{raw}]) AS texts FROM (SELECT told.parts_) AS given, {table}
                         WHERE told.item ->> 'left' IS NOT NULL AND {has_key_of_given}) AS live ON true));
  END IF;
  DELETE FROM twinstore.request AS held WHERE held.key = ANY (ARRAY(
    SELECT old.key FROM twinstore.request AS old WHERE old.at < clock_timestamp() - interval '72 hours'
    ORDER BY old.at LIMIT 10 FOR UPDATE SKIP LOCKED));
  PERFORM set_config('twinstore.applying', 'on', true);  -- triggers that touch or keep values stand aside
  SET CONSTRAINTS ALL IMMEDIATE;  -- what would refuse at the end refuses here
  SELECT array_agg(item ->> 'key' ORDER BY at), array_agg(item -> 'parts' ORDER BY at),
         array_agg(nullif(item -> 'before', 'null') ORDER BY at), array_agg(nullif(item -> 'after', 'null') ORDER BY at),
         array_agg((item ->> 'line')::bigint ORDER BY at), array_agg(item ->> 'mark' ORDER BY at)
  INTO _keys, _parts, _before, _rows, _lines, _marks
  FROM jsonb_array_elements($1 -> 'items') WITH ORDINALITY AS listed(item, at);
  _outcomes := array_fill(NULL::text, ARRAY[coalesce(cardinality(_keys), 0)]);
  _left := array_fill(NULL::jsonb, ARRAY[coalesce(cardinality(_keys), 0)]);
  _ties := ARRAY(SELECT oid FROM pg_constraint
                 WHERE contype = 'f' AND confrelid = {relation}::regclass
                   AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd')));
  IF {together_is_possible} AND cardinality(_ties) = 0 THEN
    BEGIN
      PERFORM {applying_all};
      {hold_rows}
      _asked := ARRAY(SELECT at FROM generate_subscripts(_keys, 1) AS at WHERE _outcomes[at] IS NULL);
      SELECT array_agg(coalesce(_outcomes[at], standing.outcome) ORDER BY at) INTO _outcomes
      FROM generate_subscripts(_keys, 1) AS at LEFT JOIN ({step_standing}) AS standing USING (at);
      _writing := ARRAY(SELECT at FROM generate_subscripts(_keys, 1) AS at WHERE _outcomes[at] IS NULL);
      {write_together}
      {left_by_steps}
      _outcomes := ARRAY(SELECT coalesce(outcome, 'written') FROM unnest(_outcomes) WITH ORDINALITY AS o(outcome, at)
                         ORDER BY at);
    EXCEPTION WHEN OTHERS OR assert_failure THEN  -- one by one shows which row it is
      _outcomes := array_fill(NULL::text, ARRAY[cardinality(_keys)]);
      _left := array_fill(NULL::jsonb, ARRAY[cardinality(_keys)]);
    END;
  END IF;
  FOR _at IN SELECT at FROM generate_subscripts(_keys, 1) AS at WHERE _outcomes[at] IS NULL LOOP
    _row := _rows[_at];
    _code := NULL;
    _rule := NULL;
    BEGIN
      PERFORM {applying_one};
      SELECT tableoid, ctid INTO _place FROM {table} WHERE {has_key_at} FOR UPDATE SKIP LOCKED;
      _is_there := FOUND;
      _there := CASE WHEN _is_there THEN ARRAY[_at] ELSE '{{}}' END;
      IF NOT _is_there AND EXISTS (SELECT FROM {table} WHERE {has_key_at}) THEN
        _outcome := 'locked';
      ELSE
        _asked := ARRAY[_at];
        SELECT standing.outcome INTO _outcome FROM ({step_standing}) AS standing;
        IF _outcome IS NULL THEN
          {untied}
          {write_one}
          IF _outcome = 'applied' THEN
            _writing := _asked;
            {left_by_steps}
            _outcome := 'written';
          ELSIF NOT EXISTS (SELECT FROM {table} WHERE {has_key_at}) THEN  -- nobody was faster
            RAISE EXCEPTION USING ERRCODE = 'TW003', MESSAGE = 'a write was suppressed';
          END IF;
        END IF;
      END IF;
    EXCEPTION
      WHEN generated_always THEN
        _outcome := 'rejected';
        _code := '428C9';
        SELECT min(attname) INTO _rule FROM pg_attribute
        WHERE attrelid = {relation}::regclass AND (attgenerated <> '' OR attidentity = 'a')
          AND attname::text = ANY ({names});
        _refusals := _refusals || jsonb_build_object(_at, jsonb_build_array(_code, _rule));
      WHEN SQLSTATE 'TW005' THEN
        _outcome := 'waiting';
      {refusals}
      _refusals := _refusals || jsonb_build_object(_at, jsonb_build_array(_code, nullif(_rule, '')));
    END;
    _outcomes[_at] := _outcome;
  END LOOP;
  PERFORM set_config('twinstore.applying', '', true), set_config('twinstore.applying_keys', '', true);
  _answer := (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'key', _keys[at], 'outcome', _outcomes[at], 'code', _refusals -> at::text -> 0, 'rule', _refusals -> at::text -> 1,
        'row', CASE WHEN _outcomes[at] = 'written' AND _left[at] IS DISTINCT FROM _rows[at] THEN _left[at] END)
        ORDER BY at), '[]')
    FROM generate_subscripts(_keys, 1) AS at);
  UPDATE twinstore.request AS held SET answer = (
    SELECT jsonb_agg(item - 'row' || jsonb_build_object('parts', _parts[at], 'left', md5(nullif(item -> 'row', 'null')::text))
                     ORDER BY at)
    FROM jsonb_array_elements(_answer) WITH ORDINALITY AS listed(item, at))
  WHERE held.key = _batch;
  RETURN jsonb_build_object('items', _answer);
END
