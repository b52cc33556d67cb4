FOR _tie IN
            SELECT tie.conname AS name, format('SELECT EXISTS (SELECT FROM %s AS child JOIN %s AS parent ON %s '
                'WHERE parent.tableoid = $1 AND parent.ctid = $2)', tie.conrelid::regclass, tie.confrelid::regclass,
                (SELECT string_agg(format('child.%I = parent.%I', theirs.attname, ours.attname), ' AND ')
                 FROM unnest(tie.conkey, tie.confkey) AS pair(theirs, ours)
                 JOIN pg_attribute AS theirs ON theirs.attrelid = tie.conrelid AND theirs.attnum = pair.theirs
                 JOIN pg_attribute AS ours ON ours.attrelid = tie.confrelid AND ours.attnum = pair.ours)) AS query
            FROM pg_constraint AS tie
            WHERE tie.oid = ANY (_ties)
              AND CASE WHEN _row IS NULL THEN tie.confdeltype ELSE tie.confupdtype END IN ('c', 'n', 'd')
              AND (_row IS NULL OR EXISTS (
                SELECT FROM pg_attribute AS ours
                WHERE ours.attrelid = tie.confrelid AND ours.attnum = ANY (tie.confkey)
                  AND _before[_at] ->> (array_position({names}, ours.attname::text) - 1)
                      IS DISTINCT FROM _row ->> (array_position({names}, ours.attname::text) - 1)))
            ORDER BY tie.conname
          LOOP
            BEGIN
              EXECUTE _tie.query INTO STRICT _is_tied USING _place.tableoid, _place.ctid;
            EXCEPTION WHEN insufficient_privilege THEN
              _is_tied := true;  -- for all that we may know
            END;
            IF _is_tied THEN
              RAISE EXCEPTION USING ERRCODE = 'TW004', CONSTRAINT = _tie.name,
                MESSAGE = 'rows of another table would be changed with this one';
            END IF;
          END LOOP;
