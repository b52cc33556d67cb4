_there := ARRAY(
        SELECT held.at FROM (
          SELECT given.at_ AS at FROM unnest(_parts) WITH ORDINALITY AS given(parts_, at_), {table} AS stored
          WHERE {has_key_of_given} AND _outcomes[given.at_] IS NULL
          FOR UPDATE OF stored SKIP LOCKED) AS held);
      SELECT array_agg(coalesce(_outcomes[given.at_], CASE
               WHEN given.at_ <> ALL (_there) AND EXISTS (SELECT FROM {table} WHERE {has_key_of_given}) THEN 'locked' END)
             ORDER BY given.at_)
      INTO _outcomes
      FROM unnest(_parts) WITH ORDINALITY AS given(parts_, at_);
