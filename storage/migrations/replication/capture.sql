-- Turn capture on or off. Turning it on waits for writers in flight, so that no write passes by afterwards; it also ends
-- a gap, which is for those to do who have compared the stores since.
BEGIN
  IF $1 THEN
    CREATE OR REPLACE TRIGGER twinstore_capture AFTER INSERT OR UPDATE OR DELETE ON {table}
      FOR EACH ROW EXECUTE FUNCTION {captured}();
    CREATE OR REPLACE TRIGGER twinstore_capture_truncate AFTER TRUNCATE ON {table}
      FOR EACH STATEMENT EXECUTE FUNCTION {truncated}();
    ALTER TABLE {table} ENABLE ALWAYS TRIGGER twinstore_capture;
    ALTER TABLE {table} ENABLE ALWAYS TRIGGER twinstore_capture_truncate;
    INSERT INTO twinstore.capture AS held (dataset, relation) VALUES ({dataset}, {relation}::regclass)
    ON CONFLICT (dataset) DO UPDATE
    SET relation = excluded.relation, gap_at = NULL, gap_reason = NULL,
        since = CASE WHEN held.gap_at IS NULL AND held.relation = excluded.relation THEN held.since ELSE now() END;
  ELSE
    DROP TRIGGER IF EXISTS twinstore_capture ON {table};
    DROP TRIGGER IF EXISTS twinstore_capture_truncate ON {table};
    DELETE FROM twinstore.capture WHERE dataset = {dataset};
  END IF;
  RETURN {state}{max_rev};
END
