-- Turn capture on or off. Turning it on waits for writers in flight, so that no write passes by afterwards, and others
-- wait behind it: not where it is on already, has no gap, and nothing waits. It also ends a gap, which is for those to do
-- who have compared the stores since. $2 is the largest number of ours that the other side has heard of: one of the sides
-- was restored where it is larger than ours, so that new numbers, also of what waits, must be beyond it.
DECLARE
  _alone boolean := false;
BEGIN
  IF $1 THEN
    IF NOT EXISTS (SELECT FROM twinstore.capture
                   WHERE dataset = {dataset} AND relation = {relation}::regclass AND gap_at IS NULL)
       OR {in_place} < 2
       OR EXISTS (SELECT FROM twinstore.change WHERE dataset = {dataset} AND id <= $2)
       OR EXISTS (SELECT FROM twinstore.change_id_seq WHERE last_value < $2) THEN
      CREATE OR REPLACE TRIGGER twinstore_capture AFTER INSERT OR UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {captured}();
      CREATE OR REPLACE TRIGGER twinstore_capture_truncate AFTER TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION {truncated}();
      ALTER TABLE {table} ENABLE ALWAYS TRIGGER twinstore_capture;
      ALTER TABLE {table} ENABLE ALWAYS TRIGGER twinstore_capture_truncate;
      _alone := true;
    END IF;
    INSERT INTO twinstore.capture AS held (dataset, relation{base}) VALUES ({dataset}, {relation}::regclass{base_now})
    ON CONFLICT (dataset) DO UPDATE
    SET relation = excluded.relation, gap_at = NULL, gap_reason = NULL{based},
        since = CASE WHEN held.gap_at IS NULL AND held.relation = excluded.relation THEN held.since ELSE now() END;
    PERFORM setval('twinstore.change_id_seq', $2) FROM twinstore.change_id_seq WHERE last_value < $2;
    IF _alone THEN  -- else a line that is not committed yet would be older than the one that is added
      INSERT INTO twinstore.change (dataset, key, parts)
      SELECT dataset, key, min(parts) FROM twinstore.change WHERE dataset = {dataset}
      GROUP BY dataset, key HAVING max(id) <= $2;
    END IF;
  ELSE
    DROP TRIGGER IF EXISTS twinstore_capture ON {table};
    DROP TRIGGER IF EXISTS twinstore_capture_truncate ON {table};
    DELETE FROM twinstore.capture WHERE dataset = {dataset};
  END IF;
  RETURN {state};
END
