-- How the overall score of suites went from job to job, per series.
SELECT *
FROM suite_trend
WHERE
    workspace = $workspace
    AND ($suite::VARCHAR IS NULL OR suite = $suite)
    AND ($dataset::VARCHAR IS NULL OR dataset = $dataset)
    AND ($model::VARCHAR IS NULL OR model = $model)
ORDER BY dataset, model, "group", suite, created_at, job;
