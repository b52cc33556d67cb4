-- Keys with lines after $1, from $2 lines, each with its last line and its row as of one moment; fewer where rows are
-- large, since who carries them over holds them for as long as it takes. `next` is the line to go on after; NULL when
-- there are no more.
DECLARE
  _list jsonb[];
  _item jsonb;
  _place bigint;
  _next bigint;
  _bytes bigint := 0;
BEGIN
  FOR _item, _place, _next IN  -- rows are read as they are asked for, a few at a time
    WITH lines AS MATERIALIZED (
      SELECT id, key, parts FROM twinstore.change WHERE dataset = {dataset} AND id > $1 ORDER BY id LIMIT $2),
    dirty AS MATERIALIZED (
      SELECT key, min(parts) AS parts, min(id) AS place FROM lines GROUP BY key ORDER BY place)
    SELECT (WITH picked AS (SELECT dirty.*) SELECT found.item FROM ({items}) AS found), dirty.place,
           (SELECT CASE WHEN count(*) = $2 THEN max(id) END FROM lines)
    FROM dirty
  LOOP
    _list := array_append(_list, _item);
    _bytes := _bytes + pg_column_size(_item);
    IF _bytes > {most_bytes} THEN
      _next := _place;
      EXIT;
    END IF;
  END LOOP;
  RETURN jsonb_build_object('next', _next, 'list', coalesce(to_jsonb(_list), '[]'));
END
