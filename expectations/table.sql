-- Queries that any table can be asked. {batch} is the table, $names are its columns, limits and the words of a dialect
-- (expectations.dialect). The session's time zone is UTC. Where rows are returned they are at most 20.

-- freshness --
-- The newest change, and whether it lies between two moments.
WITH newest AS (
    SELECT max($changed $by_time) AS moment
    FROM {batch}
)
SELECT
    CAST(moment AS text) AS newest,
    coalesce(moment $by_time >= $earliest AND moment $by_time <= $latest, false) AS holds
FROM newest

-- key_unique --
-- Keys that are the same once they are brought to their canonical form.
WITH doubled AS (
    SELECT $samples, count(*) AS records
    FROM {batch}
    WHERE $present
    GROUP BY $identities
    HAVING count(*) > 1
)
SELECT $names, sum(records) OVER () AS failing_rows, count(*) OVER () AS doubled
FROM doubled
ORDER BY $names
LIMIT 20
