WHEN {waits} THEN
        _outcome := 'locked';
      WHEN {refuses} THEN
        GET STACKED DIAGNOSTICS _code := RETURNED_SQLSTATE, _rule := CONSTRAINT_NAME;
        _outcome := 'rejected';
