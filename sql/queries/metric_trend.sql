-- How the mean of a metric went from job to job, per series, with mean and spread over a window.
SELECT
    * EXCLUDE (moving_mean, moving_std_dev, moving_count, days_mean, days_std_dev, days_count),
    CASE WHEN $last_days::INTEGER IS NULL THEN moving_mean ELSE days_mean END AS moving_mean,
    CASE WHEN $last_days::INTEGER IS NULL THEN moving_std_dev ELSE days_std_dev END AS moving_std_dev,
    CASE WHEN $last_days::INTEGER IS NULL THEN moving_count ELSE days_count END AS moving_count
FROM
    metric_trend_from(
        'aggregate_score',
        last_points := coalesce($last_points::INTEGER, 1),
        last_days := coalesce($last_days::INTEGER, 1),
        per := $per,
        any_status := $any_status::BOOLEAN
    )
WHERE
    workspace = $workspace
    AND metric = $metric
    AND ($name::VARCHAR IS NULL OR name = $name)
    AND ($suite::VARCHAR IS NULL OR suite = $suite)
    AND ($dataset::VARCHAR IS NULL OR dataset = $dataset)
    AND ($model::VARCHAR IS NULL OR model = $model)
    AND ($group::VARCHAR IS NULL OR "group" = $group)
ORDER BY dataset, model, "group", suite, metric, name, "position";
