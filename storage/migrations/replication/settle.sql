-- Take away the lines of keys up to the one that was carried over: $1 is a list of key and line. What somebody else
-- takes away at this moment is left to them.
DECLARE
  _settled bigint;
BEGIN
  WITH acks AS MATERIALIZED (
    SELECT ack ->> 0 AS key, max((ack ->> 1)::bigint) AS id FROM jsonb_array_elements($1) AS ack GROUP BY 1 ORDER BY 1),
  held AS MATERIALIZED (
    SELECT line.id FROM twinstore.change AS line JOIN acks ON line.key = acks.key AND line.id <= acks.id
    WHERE line.dataset = {dataset} ORDER BY line.id FOR UPDATE OF line SKIP LOCKED){kept},
  gone AS (
    DELETE FROM twinstore.change AS line USING held WHERE line.id = held.id RETURNING line.id)
  SELECT count(*) INTO _settled FROM gone;
  RETURN jsonb_build_object('settled', _settled);
END
