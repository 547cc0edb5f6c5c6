-- The names of one kind that a workspace knows, the newest first.
WITH known AS (
    SELECT 'job' AS kind, name, created_at FROM jobs
    WHERE workspace = $workspace
    UNION ALL
    SELECT 'dataset' AS kind, dataset AS name, created_at FROM jobs
    WHERE workspace = $workspace
    UNION ALL
    SELECT 'model' AS kind, model AS name, created_at FROM jobs
    WHERE workspace = $workspace
    UNION ALL
    SELECT 'group' AS kind, "group" AS name, created_at FROM jobs
    WHERE workspace = $workspace
    UNION ALL
    SELECT 'tag' AS kind, unnest(tags) AS name, created_at FROM jobs
    WHERE workspace = $workspace
    UNION ALL
    SELECT 'suite' AS kind, suite AS name, created_at FROM suites
    WHERE workspace = $workspace
    UNION ALL
    SELECT 'metric' AS kind, metric AS name, created_at FROM suite_metrics
    WHERE workspace = $workspace
    UNION ALL
    SELECT 'name' AS kind, name, created_at FROM suite_metrics
    WHERE workspace = $workspace
    UNION ALL
    SELECT 'interrupted' AS kind, job AS name, started_at AS created_at
    FROM interrupted_jobs
    WHERE workspace = $workspace
)

SELECT name
FROM known
WHERE kind = $kind AND name IS NOT NULL
GROUP BY name
ORDER BY max(created_at) DESC, name ASC;
