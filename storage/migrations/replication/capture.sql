-- Turn capture on or off. Turning it on waits for writers in flight, so that no write passes by afterwards, and others
-- wait behind it: not where it is on already, has no gap, nothing waits, and no adoption begins, after which a line that is
-- in flight now might have a number that the other side has heard of before a restore. It also ends a gap, which is for those to do
-- who have compared the stores since. $2 is the largest number of ours that the other side has heard of: one of the sides
-- was restored where it is larger than ours, so that new numbers, also of what waits, must be beyond it. $3 names the
-- adoption that begins, for the primary only where it has not been told already; without it that of before holds. Others
-- wait for all that is done here, so that a call numbers some lines anew and says as `left` that there are more: then it
-- is repeated.
DECLARE
  _whole boolean := {in_place} = 2;
  _outdated bigint[] := {outdated};  -- before anybody waits: it passes by all that parts before have taken away
  _alone boolean := $1 AND ($3 IS NOT NULL OR NOT _whole OR cardinality(_outdated) > 0
                            OR EXISTS (SELECT FROM {last_number} AS last WHERE last.number < $2));
  _left boolean := $1 AND cardinality(_outdated) = {portion};
BEGIN
  PERFORM FROM twinstore.capture WHERE dataset = {dataset} FOR UPDATE;  -- batches have this first and then the table, too
  IF $1 THEN
    IF _alone OR NOT EXISTS (SELECT FROM twinstore.capture
                             WHERE dataset = {dataset} AND relation = {relation}::regclass AND gap_at IS NULL) THEN
      LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE;  -- as triggers need it: what was in flight is seen from here on
      _whole := _whole AND {in_place} = 2;
      CREATE OR REPLACE TRIGGER twinstore_capture AFTER INSERT OR UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {captured}();
      CREATE OR REPLACE TRIGGER twinstore_capture_truncate AFTER TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION {truncated}();
      ALTER TABLE {table} ENABLE ALWAYS TRIGGER twinstore_capture;
      ALTER TABLE {table} ENABLE ALWAYS TRIGGER twinstore_capture_truncate;
      UPDATE twinstore.capture SET since = clock_timestamp() WHERE dataset = {dataset} AND NOT _whole;  -- some passed by
      _alone := true;
    END IF;
    PERFORM setval('twinstore.change_id_seq', $2) FROM {last_number} AS last WHERE last.number < $2;
    IF _alone THEN  -- else a line that is not committed yet would be older than the one that is added
      IF NOT _left THEN
        _outdated := {outdated};  -- those too that were not committed before, however many
        _left := cardinality(_outdated) = {portion};
      END IF;
      WITH gone AS (DELETE FROM twinstore.change WHERE id = ANY (_outdated) RETURNING *)
      INSERT INTO twinstore.change (dataset, key, parts, at{proposed})  -- one says as much as all of a key: the row is read
      SELECT {dataset}, key, min(parts), min(at){all_proposed} FROM gone GROUP BY key ORDER BY max(id);
    END IF;
    IF NOT _left THEN
      INSERT INTO twinstore.capture AS held (dataset, relation, base, adoption, since)
      SELECT {dataset}, {relation}::regclass, last.number, $3, clock_timestamp() FROM {last_number} AS last
      ON CONFLICT (dataset) DO UPDATE
      SET relation = excluded.relation, gap_at = NULL, gap_reason = NULL, base = excluded.base, adoption = {adoption_next},
          since = CASE WHEN held.gap_at IS NULL AND held.relation = excluded.relation THEN held.since ELSE excluded.since END;
    END IF;
  ELSE
    DROP TRIGGER IF EXISTS twinstore_capture ON {table};
    DROP TRIGGER IF EXISTS twinstore_capture_truncate ON {table};
    DELETE FROM twinstore.capture WHERE dataset = {dataset};
  END IF;
  RETURN CASE WHEN _left THEN '{{}}' ELSE {state_alone} END || jsonb_build_object('left', _left);
END
