SET LOCAL lock_timeout = '5s';       -- an application that waits behind us waits no longer than this
SET LOCAL statement_timeout = '10min';
SET LOCAL client_min_messages = warning;  -- what we have to say, without "already exists, skipping"
SET LOCAL search_path = '';          -- every name below is written out
DO $lock$ BEGIN PERFORM pg_advisory_xact_lock(hashtextextended('twinstore.migrations', 0)); END $lock$;
{{unchanged}}

{{guard}}

{{sql}}

INSERT INTO twinstore.migration_log AS log (name, checksum, applied_at, execution_ms, version, status)
VALUES ('{{name}}', '{{checksum}}', clock_timestamp(),
        (extract(epoch FROM clock_timestamp() - transaction_timestamp()) * 1000)::integer, '{{version}}', 'applied')
ON CONFLICT (name) DO UPDATE
SET checksum = excluded.checksum, applied_at = excluded.applied_at, execution_ms = excluded.execution_ms,
    version = excluded.version, status = excluded.status
WHERE log.status <> 'applied' OR log.checksum <> excluded.checksum;
