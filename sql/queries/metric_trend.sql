-- How the mean of a metric went from job to job, per series.
SELECT *
FROM metric_trend
WHERE
    workspace = $workspace
    AND metric = $metric
    AND ($name::VARCHAR IS NULL OR name = $name)
    AND ($suite::VARCHAR IS NULL OR suite = $suite)
    AND ($dataset::VARCHAR IS NULL OR dataset = $dataset)
    AND ($model::VARCHAR IS NULL OR model = $model)
ORDER BY dataset, model, "group", suite, metric, name, created_at, job;
