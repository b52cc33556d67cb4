-- Take away the lines of keys up to the one that was carried over: $1 is a list of key and line.
DECLARE
  _settled bigint;
BEGIN
  WITH acks AS MATERIALIZED (
    SELECT ack ->> 0 AS key, max((ack ->> 1)::bigint) AS id FROM jsonb_array_elements($1) AS ack GROUP BY 1 ORDER BY 1){kept},
  gone AS (
    DELETE FROM twinstore.change AS line USING acks
    WHERE line.dataset = {dataset} AND line.key = acks.key AND line.id <= acks.id
    RETURNING line.id)
  SELECT count(*) INTO _settled FROM gone;
  RETURN jsonb_build_object('settled', _settled);
END
