WHEN lock_not_available OR deadlock_detected OR serialization_failure THEN
        _outcome := 'locked';
      WHEN data_exception OR integrity_constraint_violation OR with_check_option_violation OR generated_always
           OR program_limit_exceeded OR plpgsql_error OR SQLSTATE 'TW003' THEN
        GET STACKED DIAGNOSTICS _code := RETURNED_SQLSTATE, _rule := CONSTRAINT_NAME;
        _outcome := 'rejected';