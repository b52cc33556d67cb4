-- Note the key of a row that was written, in the transaction that wrote it, whoever writes. What a delivery writes it
-- says by key, so that what a trigger writes beside it is noted. A session that restores or replicates is no application:
-- a person has to look before anything of it is carried over.
DECLARE
  _written record;
  _applying text := current_setting('twinstore.applying_key', true);
BEGIN
  FOR _written IN
    SELECT {key} AS key, {parts} AS parts FROM (SELECT old.*) AS written WHERE tg_op <> 'INSERT' AND {replicable}
    UNION
    SELECT {key}, {parts} FROM (SELECT new.*) AS written WHERE tg_op <> 'DELETE' AND {replicable}
  LOOP
    IF _applying = {prefix} || _written.key THEN
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
