-- Take away the lines of keys up to the one that was carried over: $1 is a list of key and line. States come first, in the
-- order of keys, so that nobody who waits for one holds a later one. Lines that somebody else takes away at this moment
-- are left to them.
DECLARE
  _keys text[];
  _ids bigint[];
  _settled bigint;
BEGIN
  SELECT array_agg(acks.key ORDER BY acks.key), array_agg(acks.id ORDER BY acks.key) INTO _keys, _ids
  FROM (SELECT ack ->> 0 AS key, max((ack ->> 1)::bigint) AS id FROM jsonb_array_elements($1) AS ack GROUP BY 1) AS acks;
  {kept}
  WITH held AS MATERIALIZED (
    SELECT line.id FROM unnest(_keys, _ids) AS acks(key, id)
    JOIN twinstore.change AS line ON line.dataset = {dataset} AND line.key = acks.key AND line.id <= acks.id
    ORDER BY line.id FOR UPDATE OF line SKIP LOCKED)
  DELETE FROM twinstore.change AS line USING held WHERE line.id = held.id;
  GET DIAGNOSTICS _settled = ROW_COUNT;
  RETURN jsonb_build_object('settled', _settled);
END
