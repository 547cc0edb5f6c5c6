-- What a gate wants to know of each metric of one job.
-- Its mean with the spread of it, its rows, direction and class, and whether it was told by its counts.
SELECT
    a.suite,
    a.metric,
    a.name,
    known.higher_is_better,
    known."class",
    a.mean,
    a.variance,
    a.std_error,
    a.minimum AS lowest,
    a.maximum AS highest,
    coalesce(known.minimum, rubric_minimum(known.rubric)) AS minimum,
    coalesce(known.maximum, rubric_maximum(known.rubric)) AS maximum,
    a.items_scored,
    a.clusters,
    a.rows_scored,
    a.rows_error,
    a.rows_total,
    known.is_told
FROM aggregate_score AS a
INNER JOIN compared_metrics([]::VARCHAR[], $job_id) AS known
    ON a.suite = known.suite AND a.metric = known.metric AND a.name = known.name
WHERE a.job_id = $job_id
ORDER BY a.suite, a.metric, a.name;
