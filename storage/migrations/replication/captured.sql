-- Note the key of a row that was written, in the transaction that wrote it, whoever writes. What a delivery writes it
-- says by key, so that what a trigger writes beside it is noted; it is believed by the secret, and in its own transaction
-- only, since any session can set the names that it sets. A session that restores or replicates is no application: a
-- person has to look before anything of it is carried over.
DECLARE
  _written record;
  _applying text := current_setting('twinstore.applying_keys', true);  -- their hashes, one after the other
  _proof text;
BEGIN
  IF _applying <> '' THEN
    _proof := {proof};
  END IF;
  FOR _written IN
    SELECT {key} AS key, {parts} AS parts FROM (SELECT old.*) AS written WHERE tg_op <> 'INSERT' AND {replicable}
    UNION
    SELECT {key}, {parts} FROM (SELECT new.*) AS written WHERE tg_op <> 'DELETE' AND {replicable}
  LOOP
    IF _proof IS NOT NULL AND strpos(_applying, md5(_proof || {prefix} || _written.key)) > 0 THEN
      IF pg_trigger_depth() > 1 AND length(_applying) > 32 THEN  -- nobody can tell for which of them it was written
        RAISE EXCEPTION USING ERRCODE = 'TW003', MESSAGE = 'a trigger writes rows of a batch';
      END IF;
      CONTINUE;
    END IF;
    INSERT INTO twinstore.change (dataset, key, parts) VALUES ({dataset}, _written.key, _written.parts);
  END LOOP;
  IF current_setting('session_replication_role') = 'replica' THEN
    UPDATE twinstore.capture SET gap_at = clock_timestamp(), gap_reason = 'replica'
    WHERE dataset = {dataset} AND gap_at IS NULL;
  END IF;
  RETURN NULL;
END
