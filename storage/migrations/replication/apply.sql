-- Write rows as the primary has them. Each item of $1: key, parts, rev, seen (the last change of ours that the primary
-- has judged) and row, NULL for one that was deleted. Nothing here waits for an application: what is locked is left for
-- the next time. Each item stands for itself: one that is refused leaves the others.
DECLARE
  _item jsonb;
  _key text;
  _parts text[];
  _row jsonb;
  _known bigint;
  _there boolean;
  _outcome text;
  _code text;
  _rule text;
  _answer jsonb := '[]';
BEGIN
  PERFORM set_config('twinstore.applying', 'on', true);  -- triggers that touch or keep values stand aside
  FOR _item IN SELECT item FROM jsonb_array_elements($1) AS listed(item) LOOP
    _key := _item ->> 'key';
    _parts := {parts_of_item};
    _row := nullif(_item -> 'row', 'null');
    _code := NULL;
    _rule := NULL;
    _known := NULL;
    BEGIN
      PERFORM set_config('twinstore.applying_key', {prefix} || _key, true);
      INSERT INTO twinstore.row_state (dataset, key) VALUES ({dataset}, _key) ON CONFLICT DO NOTHING;
      SELECT held.rev INTO _known FROM twinstore.row_state AS held
      WHERE held.dataset = {dataset} AND held.key = _key FOR UPDATE SKIP LOCKED;
      IF NOT FOUND THEN
        _outcome := 'locked';
      ELSIF (_item ->> 'rev')::bigint <= _known THEN
        _outcome := 'stale';
      ELSE
        PERFORM FROM {table} WHERE {has_key} FOR UPDATE SKIP LOCKED;
        _there := FOUND;
        IF NOT _there AND EXISTS (SELECT FROM {table} WHERE {has_key}) THEN
          _outcome := 'locked';
        ELSIF EXISTS (SELECT FROM twinstore.change AS line WHERE line.dataset = {dataset} AND line.key = _key
                                                             AND line.id > (_item ->> 'seen')::bigint) THEN
          _outcome := 'busy';  -- a change of ours that the primary has not judged yet
        ELSE
          {write}
          IF _outcome = 'applied' THEN
            UPDATE twinstore.row_state AS held SET rev = (_item ->> 'rev')::bigint
            WHERE held.dataset = {dataset} AND held.key = _key;
          END IF;
        END IF;
      END IF;
    EXCEPTION
      {refusals}
    END;
    _answer := _answer || jsonb_build_array(jsonb_build_object(
      'key', _key, 'outcome', _outcome, 'rev', _known, 'code', _code, 'rule', nullif(_rule, '')));
  END LOOP;
  PERFORM set_config('twinstore.applying', '', true), set_config('twinstore.applying_key', '', true);
  RETURN _answer;
END
