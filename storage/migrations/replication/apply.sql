-- Write rows as the primary has them. Each item of $1: key, parts, rev, seen (the last change of ours that the primary
-- has judged), row, NULL for one that was deleted, and adoption: what was read before the last one began is turned away,
-- since it knows nothing of what the stores were compared for. Nothing here waits for an application: what is locked is left for
-- the next time. All are written together where nothing is in the way, else one by one, so that one that is refused
-- leaves the others.
DECLARE
  {variables}
  _revs bigint[];
  _seen bigint[];
  _told bigint[];  -- what a verdict says as `rev`
  _adoption text;
BEGIN
  {of_this_adoption}
  PERFORM set_config('twinstore.applying', 'on', true);  -- triggers that touch or keep values stand aside
  SELECT array_agg(item ->> 'key' ORDER BY at), array_agg(item -> 'parts' ORDER BY at),
         array_agg(nullif(item -> 'row', 'null') ORDER BY at), array_agg((item ->> 'rev')::bigint ORDER BY at),
         array_agg((item ->> 'seen')::bigint ORDER BY at)
  INTO _keys, _parts, _rows, _revs, _seen
  FROM jsonb_array_elements($1) WITH ORDINALITY AS listed(item, at);
  _outcomes := array_fill(NULL::text, ARRAY[coalesce(cardinality(_keys), 0)]);
  _told := array_fill(NULL::bigint, ARRAY[coalesce(cardinality(_keys), 0)]);
  {hold_states}
  IF {together_is_possible} THEN
    BEGIN
      PERFORM {applying_all};
      SELECT array_agg(held.rev ORDER BY given.at),
             array_agg(CASE WHEN held.key IS NULL THEN 'locked' WHEN given.rev <= held.rev THEN 'stale' END
                       ORDER BY given.at)
      INTO _told, _outcomes
      FROM unnest(_keys, _revs) WITH ORDINALITY AS given(key, rev, at)
      LEFT JOIN (SELECT state.key, state.rev FROM twinstore.row_state AS state
                 WHERE state.dataset = {dataset} AND state.key = ANY (_keys) FOR UPDATE SKIP LOCKED) AS held
        ON held.key = given.key;
      {hold_rows}
      SELECT array_agg(coalesce(_outcomes[given.at], CASE WHEN {busy_given} THEN 'busy' END)
             ORDER BY given.at)
      INTO _outcomes
      FROM unnest(_keys, _seen) WITH ORDINALITY AS given(key, seen, at);
      _writing := ARRAY(SELECT at FROM generate_subscripts(_keys, 1) AS at WHERE _outcomes[at] IS NULL);
      {write_together}
      UPDATE twinstore.row_state AS state SET rev = _revs[at] FROM unnest(_writing) AS at
      WHERE state.dataset = {dataset} AND state.key = _keys[at];
      _outcomes := ARRAY(SELECT coalesce(outcome, 'applied') FROM unnest(_outcomes) WITH ORDINALITY AS o(outcome, at)
                         ORDER BY at);
    EXCEPTION WHEN OTHERS OR assert_failure THEN  -- one by one shows which row it is
      _outcomes := array_fill(NULL::text, ARRAY[cardinality(_keys)]);
    END;
  END IF;
  FOR _at IN SELECT at FROM generate_subscripts(_keys, 1) AS at WHERE _outcomes[at] IS NULL LOOP
    _row := _rows[_at];
    _code := NULL;
    _rule := NULL;
    _found := NULL;
    BEGIN
      PERFORM {applying_one};
      SELECT state.rev INTO _found FROM twinstore.row_state AS state
      WHERE state.dataset = {dataset} AND state.key = _keys[_at] FOR UPDATE SKIP LOCKED;
      IF NOT FOUND THEN
        _outcome := 'locked';
      ELSIF _revs[_at] <= _found THEN
        _outcome := 'stale';
      ELSE
        PERFORM FROM {table} WHERE {has_key_at} FOR UPDATE SKIP LOCKED;
        _is_there := FOUND;
        IF NOT _is_there AND EXISTS (SELECT FROM {table} WHERE {has_key_at}) THEN
          _outcome := 'locked';
        ELSIF (SELECT {busy_given} FROM (SELECT _keys[_at] AS key, _seen[_at] AS seen) AS given) THEN
          _outcome := 'busy';
        ELSE
          {write_one}
          IF _outcome = 'applied' THEN
            UPDATE twinstore.row_state AS state SET rev = _revs[_at]
            WHERE state.dataset = {dataset} AND state.key = _keys[_at];
          END IF;
        END IF;
      END IF;
    EXCEPTION
      {refusals}
      _refusals := _refusals || jsonb_build_object(_at, jsonb_build_array(_code, nullif(_rule, '')));
    END;
    _outcomes[_at] := _outcome;
    _told[_at] := _found;
  END LOOP;
  {verdicts}
END
