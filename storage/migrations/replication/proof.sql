(SELECT secret::text || pg_current_xact_id()::text FROM twinstore.capture WHERE dataset = {dataset})
