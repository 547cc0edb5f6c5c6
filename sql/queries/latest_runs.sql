-- The latest evaluations of a workspace, the newest first; failed ones only when they are asked for.
SELECT
    created_at,
    name AS job,
    dataset,
    model,
    status,
    overall_score,
    pass_rate,
    total_suites,
    total_metrics,
    total_passed,
    total_evaluated,
    rows_error,
    duration
FROM jobs
WHERE
    workspace = $workspace
    AND kind = 'evaluation'
    AND total_suites > 0
    AND (status = 'completed' OR $with_failed)
    AND ($dataset::VARCHAR IS NULL OR dataset = $dataset)
    AND ($model::VARCHAR IS NULL OR model = $model)
    AND ($group::VARCHAR IS NULL OR "group" = $group)
ORDER BY created_at DESC, job_id DESC
LIMIT $limit;
