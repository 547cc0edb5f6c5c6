-- How each suite did from evaluation to evaluation, the newest first.
SELECT
    created_at,
    job,
    dataset,
    model,
    suite,
    overall_score,
    pass_rate,
    events_processed,
    len(metrics) AS metrics,
    tags,
    duration
FROM suites
WHERE
    workspace = $workspace
    AND job_status = 'completed'
    AND ($suite::VARCHAR IS NULL OR suite = $suite)
    AND ($dataset::VARCHAR IS NULL OR dataset = $dataset)
    AND ($model::VARCHAR IS NULL OR model = $model)
ORDER BY created_at DESC, job ASC, suite ASC
LIMIT $limit;
