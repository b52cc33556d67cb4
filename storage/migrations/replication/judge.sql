-- Judge changes of the secondary. Each item of $1: key, parts, base (the rev that the secondary had), lseq (its change),
-- row, NULL for one that was deleted, and adoption: during one nothing is judged. Accepted when the primary did not move since; else our row stays, and theirs is
-- kept as a conflict. Of our row the secondary hears by a line: the one of our own change, or one that is added. What is
-- accepted is written together where nothing is in the way, the rest one by one.
DECLARE
  {variables}
  _bases bigint[];
  _lseqs bigint[];
  _told bigint[];  -- what a verdict says as `rev`
  _adoption text;
  _state record;
  _adopted bigint := coalesce((SELECT adopted_rev FROM twinstore.capture WHERE dataset = {dataset}), 0);
  _standing record;
  _ours jsonb;
  _theirs jsonb;
BEGIN
  {of_this_adoption}
  PERFORM set_config('twinstore.applying', 'on', true);  -- triggers that touch or keep values stand aside
  SELECT array_agg(item ->> 'key' ORDER BY at), array_agg(item -> 'parts' ORDER BY at),
         array_agg(nullif(item -> 'row', 'null') ORDER BY at), array_agg((item ->> 'base')::bigint ORDER BY at),
         array_agg((item ->> 'lseq')::bigint ORDER BY at)
  INTO _keys, _parts, _rows, _bases, _lseqs
  FROM jsonb_array_elements($1) WITH ORDINALITY AS listed(item, at);
  _outcomes := array_fill(NULL::text, ARRAY[coalesce(cardinality(_keys), 0)]);
  _told := array_fill(NULL::bigint, ARRAY[coalesce(cardinality(_keys), 0)]);
  {hold_states}
  IF {together_is_possible} THEN
    BEGIN
      PERFORM {applying_all};
      SELECT array_agg(CASE WHEN held.key IS NULL THEN 'locked' WHEN given.lseq <= held.seen THEN 'judged' END
                       ORDER BY given.at)
      INTO _outcomes
      FROM unnest(_keys, _lseqs) WITH ORDINALITY AS given(key, lseq, at)
      LEFT JOIN (SELECT state.key, state.seen FROM twinstore.row_state AS state
                 WHERE state.dataset = {dataset} AND state.key = ANY (_keys) FOR UPDATE SKIP LOCKED) AS held
        ON held.key = given.key;
      {hold_rows}
      _writing := ARRAY(
        SELECT given.at FROM unnest(_keys, _bases) WITH ORDINALITY AS given(key, base, at)
        JOIN twinstore.row_state AS held ON held.dataset = {dataset} AND held.key = given.key
        CROSS JOIN LATERAL ({standing_of_given}) AS standing
        WHERE _outcomes[given.at] IS NULL AND NOT standing.moved);
      {write_together}
      WITH added AS (
        INSERT INTO twinstore.change (dataset, key, parts, proposed)
        SELECT {dataset}, _keys[at], {parts_at_place}, true FROM unnest(_writing) AS at
        WHERE at = ANY (_there) OR _rows[at] IS NOT NULL
        RETURNING key, id)
      SELECT array_agg(added.id ORDER BY given.at) INTO _told
      FROM unnest(_keys) WITH ORDINALITY AS given(key, at) LEFT JOIN added ON added.key = given.key;
      UPDATE twinstore.row_state AS state SET seen = _lseqs[at] FROM unnest(_writing) AS at
      WHERE state.dataset = {dataset} AND state.key = _keys[at];
      DELETE FROM twinstore.delivery AS tried USING unnest(_writing) AS at
      WHERE tried.dataset = {dataset} AND tried.key = _keys[at] AND tried.direction = 'to_primary';
      SELECT array_agg(CASE WHEN given.at = ANY (_writing) THEN 'accepted' ELSE given.outcome END ORDER BY given.at)
      INTO _outcomes FROM unnest(_outcomes) WITH ORDINALITY AS given(outcome, at);
    EXCEPTION WHEN OTHERS OR assert_failure THEN  -- one by one shows which row it is
      _outcomes := array_fill(NULL::text, ARRAY[cardinality(_keys)]);
      _told := array_fill(NULL::bigint, ARRAY[cardinality(_keys)]);
    END;
  END IF;
  FOR _at IN SELECT at FROM generate_subscripts(_keys, 1) AS at WHERE _outcomes[at] IS NULL LOOP
    _row := _rows[_at];
    _code := NULL;
    _rule := NULL;
    _found := NULL;
    BEGIN
      PERFORM {applying_one};
      SELECT state.key, state.rev, state.seen INTO _state FROM twinstore.row_state AS state
      WHERE state.dataset = {dataset} AND state.key = _keys[_at] FOR UPDATE SKIP LOCKED;
      IF NOT FOUND THEN
        _outcome := 'locked';
      ELSIF _lseqs[_at] <= _state.seen THEN
        _outcome := 'judged';
      ELSE
        _ours := NULL;
        SELECT to_jsonb(ARRAY[{raw}]) INTO _ours FROM {table} WHERE {has_key_at} FOR UPDATE SKIP LOCKED;
        _is_there := FOUND;
        IF NOT _is_there AND EXISTS (SELECT FROM {table} WHERE {has_key_at}) THEN
          _outcome := 'locked';
        ELSE
          SELECT standing.* INTO _standing
          FROM (SELECT _state.key AS key, _state.rev AS rev) AS held,
               (SELECT _keys[_at] AS key, _bases[_at] AS base) AS given,
               LATERAL ({standing_of_given}) AS standing;
          IF NOT _standing.moved THEN
            {write_one}
            IF _outcome = 'applied' THEN
              _outcome := 'accepted';
            END IF;
            IF _outcome = 'accepted' AND (_is_there OR _row IS NOT NULL) THEN
              INSERT INTO twinstore.change (dataset, key, parts, proposed)
              VALUES ({dataset}, _keys[_at], {parts_at}, true) RETURNING id INTO _found;
            END IF;
          ELSE
            SELECT CASE WHEN _row IS NOT NULL THEN to_jsonb(ARRAY[{raw}]) END INTO _theirs
            FROM (SELECT {values_named}) AS given;
            IF _ours IS NOT DISTINCT FROM _theirs THEN
              _outcome := 'agreed';
            ELSE
              _outcome := 'conflict';
              INSERT INTO twinstore.conflict (dataset, key, kind, base_rev, rev, lseq, loser, columns)
              VALUES ({dataset}, _keys[_at], 'concurrent', _bases[_at], _standing.rev, _lseqs[_at], _row, {names});
            END IF;
            IF NOT _standing.waits THEN
              INSERT INTO twinstore.change (dataset, key, parts) VALUES ({dataset}, _keys[_at], {parts_at})
              RETURNING id INTO _found;
              BEGIN  -- a subtransaction has a number larger than all that were given before
                UPDATE twinstore.change SET horizon = '0' WHERE id = _found;
              EXCEPTION WHEN no_data_found THEN NULL;  -- what makes it one
              END;
              UPDATE twinstore.change SET horizon = {horizon} WHERE id = _found;
            END IF;
          END IF;
        END IF;
      END IF;
      IF _outcome IN ('accepted', 'agreed', 'conflict') THEN
        UPDATE twinstore.row_state AS state SET seen = _lseqs[_at]
        WHERE state.dataset = {dataset} AND state.key = _keys[_at];
        DELETE FROM twinstore.delivery AS tried
        WHERE tried.dataset = {dataset} AND tried.key = _keys[_at] AND tried.direction = 'to_primary';
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
