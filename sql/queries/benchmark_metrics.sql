-- What these jobs scored in each metric: passed of evaluated, mean with its 95 % interval, rows in error.
SELECT
    coalesce(job.model, job.name) AS model,
    a.suite,
    a.metric,
    a.name,
    a.passed,
    a.evaluated,
    a.passed / nullif(a.evaluated, 0) AS pass_rate,
    a.mean,
    a.std_error,
    mean_bound(a.mean, a.std_error, a.passed, a.evaluated, -1) AS low,
    mean_bound(a.mean, a.std_error, a.passed, a.evaluated, 1) AS high,
    a.rows_scored,
    a.rows_unscored,
    a.rows_error,
    a.rows_total,
    a.is_told
FROM aggregate_scores AS a
INNER JOIN job ON a.job_id = job.job_id
WHERE list_contains($job_ids::VARCHAR[], a.job_id)
ORDER BY a.suite ASC, a.metric ASC, a.name ASC, pass_rate DESC NULLS LAST, a.mean DESC NULLS LAST, model ASC;
