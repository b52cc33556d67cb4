WHEN {waits} THEN
        _outcome := 'locked';
        PERFORM set_config('lock_timeout', '1ms', true);  -- one wait is enough: who wants what was written waits, too
      WHEN OTHERS OR assert_failure THEN
        GET STACKED DIAGNOSTICS _code := RETURNED_SQLSTATE, _rule := CONSTRAINT_NAME;
        IF _code ~ '^(08|53|57P|58|XX(?!000))' THEN
          RAISE;  -- the server is in trouble, not this row; XX000 is what anything written in C says of either
        ELSIF _code !~ '^(2[23]|44|54|P0|TW)' THEN  -- the table is, if it takes nothing at all
          {write_nothing}
        END IF;
        _outcome := 'rejected';
