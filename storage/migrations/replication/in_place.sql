(SELECT count(*) FROM pg_trigger
                   WHERE tgrelid = to_regclass({relation}) AND tgenabled = 'A' AND NOT tgisinternal
                     AND (tgname, tgfoid) IN (('twinstore_capture', {captured_signature}::regprocedure),
                                              ('twinstore_capture_truncate', {truncated_signature}::regprocedure)))
