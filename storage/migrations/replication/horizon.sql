((pg_current_xact_id()::text::bigint >> 32 << 32) + xmin::text::bigint
   + CASE WHEN xmin::text::bigint < (pg_current_xact_id()::text::bigint & 4294967295) THEN 4294967296 ELSE 0 END)::text::xid8
