-- Queries of the planning suite. {batch} is the table, $names are its columns, limits and the words of a dialect
-- (expectations.dialect). The session's time zone is UTC. Some return one row that says whether something holds; the
-- others return no row when all is well, else up to 20 with the id of one record and failing_rows of the whole table.

-- type_distribution --
-- The share of the most frequent type.
WITH types AS (
    SELECT count(*) AS records
    FROM {batch}
    GROUP BY $type
),
shares AS (
    SELECT CAST(max(records) AS double precision) / sum(records) AS most
    FROM types
)
SELECT most, most <= $type_share_max AS holds
FROM shares

-- status_distribution --
-- The shares of failed records and of drafts.
WITH shares AS (
    SELECT
        CAST(count(*) FILTER (WHERE $status = 'failed') AS double precision) / count(*) AS failed,
        CAST(count(*) FILTER (WHERE $status = 'draft') AS double precision) / count(*) AS draft
    FROM {batch}
)
SELECT failed, draft, failed <= $failed_share_max AND draft <= $draft_share_max AS holds
FROM shares

-- orphaned_projects --
-- Projects with some records of which none has an owner.
WITH orphaned AS (
    SELECT min(CAST($id AS text) $bytewise) AS sample_key, count(*) AS records
    FROM {batch}
    WHERE $project_id IS NOT NULL
    GROUP BY $project_id
    HAVING count($user_id) = 0 AND count(*) >= $orphan_min_records
)
SELECT sample_key, sum(records) OVER () AS failing_rows, count(*) OVER () AS projects
FROM orphaned
ORDER BY sample_key
LIMIT 20

-- growth_per_user --
-- Owners that made more records within one day (UTC) than a person or a sane import makes.
WITH bursts AS (
    SELECT min(CAST($id AS text) $bytewise) AS sample_key, count(*) AS records
    FROM {batch}
    WHERE $user_id IN (SELECT $user_id FROM {batch} GROUP BY $user_id HAVING count(*) > $owner_day_rows)
    GROUP BY $user_id, substr(CAST($created_at AS text), 1, 10)
    HAVING count(*) > $owner_day_rows
)
SELECT sample_key, sum(records) OVER () AS failing_rows, max(records) OVER () AS most
FROM bursts
ORDER BY sample_key
LIMIT 20
