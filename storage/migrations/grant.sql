    IF door = ANY ({visited}::regprocedure[]) AND to_regrole('service_role') IS NOT NULL THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO service_role', door);
    END IF;
