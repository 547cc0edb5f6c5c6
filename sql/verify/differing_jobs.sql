-- The jobs of which the published catalog (`snapshot`) says something else than their documents do (`catalog`).
WITH told AS (
    SELECT job_id, hash(entry) AS digest FROM catalog.job AS entry  -- noqa: AL05
    UNION ALL
    SELECT job_id, hash(entry) AS digest FROM catalog.aggregate_score AS entry  -- noqa: AL05
    UNION ALL
    SELECT job_id, hash(entry) AS digest FROM catalog.score_file AS entry  -- noqa: AL05
),

shown AS (
    SELECT job_id, hash(entry) AS digest FROM snapshot.job AS entry  -- noqa: AL05
    UNION ALL
    SELECT job_id, hash(entry) AS digest FROM snapshot.aggregate_score AS entry  -- noqa: AL05
    UNION ALL
    SELECT job_id, hash(entry) AS digest FROM snapshot.score_file AS entry  -- noqa: AL05
),

only_told AS (
    SELECT * FROM told
    EXCEPT ALL
    SELECT * FROM shown
),

only_shown AS (
    SELECT * FROM shown
    EXCEPT ALL
    SELECT * FROM told
),

differing AS (
    SELECT job_id FROM only_told
    UNION
    SELECT job_id FROM only_shown
)

SELECT
    differing.job_id,
    coalesce(told_job.workspace || '/' || told_job.name, shown_job.workspace || '/' || shown_job.name) AS path,
    told_job.job_id IS NOT NULL AS is_there,
    shown_job.job_id IS NOT NULL AS is_shown
FROM differing
LEFT JOIN catalog.job AS told_job ON differing.job_id = told_job.job_id
LEFT JOIN snapshot.job AS shown_job ON differing.job_id = shown_job.job_id
ORDER BY path;
