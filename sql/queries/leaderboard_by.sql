-- Which model is best when rows in error count as zero or as the worst value, or are left out.
SELECT *
FROM leaderboard_by(errors := $errors, any_status := $any_status::BOOLEAN)
WHERE
    workspace = $workspace
    AND ($metric::VARCHAR IS NULL OR metric = $metric)
    AND ($name::VARCHAR IS NULL OR name = $name)
    AND ($suite::VARCHAR IS NULL OR suite = $suite)
    AND ($dataset::VARCHAR IS NULL OR dataset = $dataset)
ORDER BY dataset, suite, metric, name, rank NULLS LAST, model, job;
