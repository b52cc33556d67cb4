cardinality(_keys) > 1 AND cardinality(_keys) = (SELECT count(DISTINCT key) FROM unnest(_keys) AS key)
