-- Which model is best: the latest completed job per model and dataset, ranked by the mean over the same rows.
SELECT *
FROM ranked_models('aggregate_score', any_status := $any_status::BOOLEAN)
WHERE
    workspace = $workspace
    AND ($metric::VARCHAR IS NULL OR metric = $metric)
    AND ($name::VARCHAR IS NULL OR name = $name)
    AND ($suite::VARCHAR IS NULL OR suite = $suite)
    AND ($dataset::VARCHAR IS NULL OR dataset = $dataset)
ORDER BY dataset, suite, metric, name, rank NULLS LAST, model, job;
