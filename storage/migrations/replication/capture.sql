-- Turn capture on or off. Turning it on waits for writers in flight, so that no write passes by afterwards, and others
-- wait behind it: not where it is on already, has no gap, and nothing waits. It also ends a gap, which is for those to do
-- who have compared the stores since. $2 is the largest number of ours that the other side has heard of: one of the sides
-- was restored where it is larger than ours, so that new numbers, also of what waits, must be beyond it. $3 names the
-- adoption that begins on the secondary; without it that of before holds. Others wait for all that is done here, so that a
-- call numbers some keys anew and says as `left` that there may be more: then it is repeated.
DECLARE
  _alone boolean := $1 AND ({in_place} < 2 OR EXISTS ({outdated})
                            OR EXISTS (SELECT FROM {last_number} AS last WHERE last.number < $2));
  _renewed bigint := 0;
BEGIN
  PERFORM FROM twinstore.capture WHERE dataset = {dataset} FOR UPDATE;  -- batches have this first and then the table, too
  IF $1 THEN
    IF _alone OR NOT EXISTS (SELECT FROM twinstore.capture
                             WHERE dataset = {dataset} AND relation = {relation}::regclass AND gap_at IS NULL) THEN
      CREATE OR REPLACE TRIGGER twinstore_capture AFTER INSERT OR UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {captured}();
      CREATE OR REPLACE TRIGGER twinstore_capture_truncate AFTER TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION {truncated}();
      ALTER TABLE {table} ENABLE ALWAYS TRIGGER twinstore_capture;
      ALTER TABLE {table} ENABLE ALWAYS TRIGGER twinstore_capture_truncate;
      _alone := true;
    END IF;
    PERFORM setval('twinstore.change_id_seq', $2) FROM {last_number} AS last WHERE last.number < $2;
    IF _alone THEN  -- else a line that is not committed yet would be older than the one that is added
      WITH renewed AS (
        INSERT INTO twinstore.change (dataset, key, parts, at{proposed}) {outdated} ORDER BY line.id LIMIT {portion}
        RETURNING key),
      gone AS (  -- else every part would have to pass by them
        DELETE FROM twinstore.change AS old USING renewed
        WHERE old.dataset = {dataset} AND old.key = renewed.key AND old.id <= $2)
      SELECT count(*) INTO _renewed FROM renewed;
    END IF;
    IF _renewed < {portion} THEN
      INSERT INTO twinstore.capture AS held (dataset, relation, base{adoption_too})
      SELECT {dataset}, {relation}::regclass, last.number{begun} FROM {last_number} AS last
      ON CONFLICT (dataset) DO UPDATE
      SET relation = excluded.relation, gap_at = NULL, gap_reason = NULL, base = excluded.base{adopted_next},
          since = CASE WHEN held.gap_at IS NULL AND held.relation = excluded.relation THEN held.since ELSE now() END;
    END IF;
  ELSE
    DROP TRIGGER IF EXISTS twinstore_capture ON {table};
    DROP TRIGGER IF EXISTS twinstore_capture_truncate ON {table};
    DELETE FROM twinstore.capture WHERE dataset = {dataset};
  END IF;
  RETURN {state_alone} || jsonb_build_object('left', _renewed >= {portion});
END
