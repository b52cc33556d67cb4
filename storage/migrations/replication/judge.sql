-- Judge changes of the secondary. Each item of $1: key, parts, base (the rev that the secondary had), lseq (its change)
-- and row, NULL for one that was deleted. Accepted when nothing else moved since; else our row stays, and theirs is kept
-- as a conflict. Either way the secondary hears of it, by a new line.
DECLARE
  _item jsonb;
  _key text;
  _parts text[];
  _row jsonb;
  _state record;
  _current bigint;
  _ours jsonb;
  _theirs jsonb;
  _there boolean;
  _outcome text;
  _code text;
  _rule text;
  _line bigint;
  _answer jsonb := '[]';
BEGIN
  PERFORM set_config('twinstore.applying', 'on', true);  -- triggers that touch or keep values stand aside
  FOR _item IN SELECT item FROM jsonb_array_elements($1) AS listed(item) LOOP
    _key := _item ->> 'key';
    _parts := {parts_of_item};
    _row := nullif(_item -> 'row', 'null');
    _code := NULL;
    _rule := NULL;
    _line := NULL;
    BEGIN
      PERFORM set_config('twinstore.applying_key', {prefix} || _key, true);
      INSERT INTO twinstore.row_state (dataset, key) VALUES ({dataset}, _key) ON CONFLICT DO NOTHING;
      SELECT held.rev, held.seen, held.accepted_rev INTO _state FROM twinstore.row_state AS held
      WHERE held.dataset = {dataset} AND held.key = _key FOR UPDATE SKIP LOCKED;
      IF NOT FOUND THEN
        _outcome := 'locked';
      ELSIF (_item ->> 'lseq')::bigint <= _state.seen THEN
        _outcome := 'judged';
      ELSE
        _ours := NULL;
        SELECT to_jsonb(ARRAY[{raw}]) INTO _ours FROM {table} WHERE {has_key} FOR UPDATE SKIP LOCKED;
        _there := FOUND;
        IF NOT _there AND EXISTS (SELECT FROM {table} WHERE {has_key}) THEN
          _outcome := 'locked';
        ELSE
          SELECT greatest(_state.rev, max(line.id)) INTO _current FROM twinstore.change AS line
          WHERE line.dataset = {dataset} AND line.key = _key;
          IF (_item ->> 'base')::bigint = _current OR _current = _state.accepted_rev THEN
            {write}
            IF _outcome = 'applied' THEN
              _outcome := 'accepted';
            END IF;
          ELSE
            SELECT CASE WHEN _row IS NOT NULL THEN to_jsonb(ARRAY[{raw}]) END INTO _theirs
            FROM (SELECT {values_named}) AS given;
            IF _ours IS NOT DISTINCT FROM _theirs THEN
              _outcome := 'agreed';
            ELSE
              _outcome := 'conflict';
              INSERT INTO twinstore.conflict (dataset, key, kind, base_rev, rev, lseq, loser)
              VALUES ({dataset}, _key, 'concurrent', (_item ->> 'base')::bigint, _current,
                      (_item ->> 'lseq')::bigint, _row);
            END IF;
          END IF;
        END IF;
      END IF;
      IF _outcome IN ('accepted', 'agreed', 'conflict') THEN
        INSERT INTO twinstore.change (dataset, key, parts) VALUES ({dataset}, _key, _parts) RETURNING id INTO _line;
        UPDATE twinstore.row_state AS held
        SET seen = (_item ->> 'lseq')::bigint,
            accepted_rev = CASE WHEN _outcome = 'accepted' THEN _line ELSE held.accepted_rev END
        WHERE held.dataset = {dataset} AND held.key = _key;
        DELETE FROM twinstore.delivery AS tried
        WHERE tried.dataset = {dataset} AND tried.key = _key AND tried.direction = 'to_primary';
      END IF;
    EXCEPTION
      {refusals}
    END;
    _answer := _answer || jsonb_build_array(jsonb_build_object(
      'key', _key, 'outcome', _outcome, 'rev', _line, 'code', _code, 'rule', nullif(_rule, '')));
  END LOOP;
  PERFORM set_config('twinstore.applying', '', true), set_config('twinstore.applying_key', '', true);
  RETURN _answer;
END
