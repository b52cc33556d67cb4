-- Queries of the planning suite. Each returns no row when all is well, else at most 20 rows with the columns
-- sample_key (id of one record), failing_rows (of the whole table) and observed (words without personal values).
-- {batch} is the table; $names are limits. The session's time zone is UTC.

-- id_unique --
-- Ids that are the same UUID once case and hyphens are read alike: only one of the rows can exist on supabase.
WITH doubled AS (
    SELECT min(id::text COLLATE "C") AS sample_key, count(*) AS records
    FROM {batch}
    GROUP BY replace(lower(id::text), '-', '')
    HAVING count(*) > 1
)
SELECT sample_key, sum(records) OVER () AS failing_rows, count(*) OVER () || ' ids occur more than once' AS observed
FROM doubled
ORDER BY sample_key
LIMIT 20

-- type_distribution --
-- Types that hold more than their share of the table.
WITH shares AS (
    SELECT type, count(*) / sum(count(*)) OVER () AS share
    FROM {batch}
    GROUP BY type
)
SELECT NULL AS sample_key, 0 AS failing_rows, round(max(share) * 100, 1) || ' % of the rows have one type' AS observed
FROM shares
HAVING max(share) > $type_share_max

-- status_distribution --
-- Share of failed and of draft records, where one of them is above its limit.
WITH shares AS (
    SELECT
        count(*) FILTER (WHERE status = 'failed') / count(*)::numeric AS failed,
        count(*) FILTER (WHERE status = 'draft') / count(*)::numeric AS draft
    FROM {batch}
)
SELECT
    NULL AS sample_key,
    0 AS failing_rows,
    round(failed * 100, 1) || ' % failed, ' || round(draft * 100, 1) || ' % draft' AS observed
FROM shares
WHERE failed > $failed_share_max OR draft > $draft_share_max

-- orphaned_projects --
-- Projects with some records of which none has an owner.
WITH orphaned AS (
    SELECT min(id::text COLLATE "C") AS sample_key, count(*) AS records
    FROM {batch}
    WHERE project_id IS NOT NULL
    GROUP BY project_id
    HAVING count(user_id) = 0 AND count(*) >= $orphan_min_records
)
SELECT sample_key, sum(records) OVER () AS failing_rows, count(*) OVER () || ' projects without any owner' AS observed
FROM orphaned
ORDER BY sample_key
LIMIT 20

-- growth_per_user --
-- Owners that made more records within one day (UTC) than a person or a sane import makes.
WITH bursts AS (
    SELECT min(id::text COLLATE "C") AS sample_key, count(*) AS records
    FROM {batch}
    WHERE user_id IN (SELECT user_id FROM {batch} GROUP BY user_id HAVING count(*) > $owner_day_rows)
    GROUP BY user_id, date_trunc('day', created_at)
    HAVING count(*) > $owner_day_rows
)
SELECT
    sample_key,
    sum(records) OVER () AS failing_rows,
    'up to ' || max(records) OVER () || ' records of one owner within a day' AS observed
FROM bursts
ORDER BY sample_key
LIMIT 20
