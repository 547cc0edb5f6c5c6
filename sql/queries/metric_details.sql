-- The metrics of suites from evaluation to evaluation: how many passed of how many, the newest first.
SELECT
    created_at,
    job,
    model,
    suite,
    metric,
    name,
    score,
    passed,
    evaluated,
    rows_unscored,
    rows_error,
    total
FROM suite_metrics
WHERE
    workspace = $workspace
    AND ($job::VARCHAR IS NULL OR job = $job)
    AND ($suite::VARCHAR IS NULL OR suite = $suite)
    AND ($metric::VARCHAR IS NULL OR metric = $metric)
ORDER BY created_at DESC, job ASC, suite ASC, metric ASC, name ASC
LIMIT $limit;
