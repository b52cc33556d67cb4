-- Number of rows that were created from $1 to $2, in milliseconds since 1970 UTC.
SELECT jsonb_build_object('total', total) FROM ({created}) AS created
