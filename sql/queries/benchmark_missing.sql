-- The models of a benchmark without a completed job: their jobs ended otherwise, or they were declared only.
WITH member AS (
    SELECT *
    FROM jobs
    WHERE workspace = $workspace AND "group" = $group AND ($dataset::VARCHAR IS NULL OR dataset = $dataset)
),

declared AS (
    SELECT DISTINCT
        unnest(json_extract_string(metadata, '$.benchmark.providers[*]')) AS provider
    FROM member
),

wanted AS (
    SELECT
        coalesce(model, name) AS model,
        name AS job,
        status,
        error.message AS error,
        created_at
    FROM member
    WHERE status <> 'completed'
    UNION ALL
    SELECT
        CASE WHEN contains(provider, '/') THEN provider ELSE 'default/' || provider END AS model,
        NULL AS job,
        'missing' AS status,
        'declared, and without results' AS error,
        NULL AS created_at
    FROM declared
    WHERE provider IS NOT NULL
),

completed AS (
    SELECT coalesce(model, name) AS model FROM member
    WHERE status = 'completed'
)

SELECT
    wanted.model,
    wanted.job,
    wanted.status,
    wanted.error
FROM wanted
ANTI JOIN completed ON wanted.model = completed.model
QUALIFY row_number() OVER (PARTITION BY wanted.model ORDER BY wanted.created_at DESC NULLS LAST, wanted.job DESC) = 1
ORDER BY wanted.model;
