-- The identity and everything that was recorded, one row per migration and at least one row.
SELECT identity.id, log.name, log.checksum, log.applied_at, log.execution_ms, log.version, log.status = 'applied'
FROM twinstore.identity
LEFT JOIN twinstore.migration_log AS log ON true
ORDER BY log.name
