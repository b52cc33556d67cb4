-- Note that all rows went at once: too much to carry over without being asked.
BEGIN
  UPDATE twinstore.capture SET gap_at = clock_timestamp(), gap_reason = 'truncated'
  WHERE dataset = {dataset} AND gap_at IS NULL;
  RETURN NULL;
END
