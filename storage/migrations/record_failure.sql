-- Remember that a migration was tried and rolled back; one that is applied stays applied.
INSERT INTO twinstore.migration_log AS log (name, checksum, applied_at, execution_ms, version, status)
VALUES (%(name)s, %(checksum)s, clock_timestamp(), %(execution_ms)s, %(version)s, 'failed')
ON CONFLICT (name) DO UPDATE
SET checksum = excluded.checksum, applied_at = excluded.applied_at, execution_ms = excluded.execution_ms,
    version = excluded.version
WHERE log.status <> 'applied'
