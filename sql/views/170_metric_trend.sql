-- Every completed job as a point of its series (workspace, dataset, model, group, suite, metric, name).
CREATE OR REPLACE VIEW metric_trend AS
SELECT
    a.workspace,
    a.dataset,
    a.model,
    job."group",
    a.suite,
    a.metric,
    a.name,
    a.job,
    a.job_id,
    job.created_at,
    job.git_commit,
    a.mean,
    a.std_error,
    a.rows_scored,
    a.rows_unscored,
    a.rows_error,
    a.rows_total,
    lag(a.mean) OVER series AS previous,
    a.mean - lag(a.mean) OVER series AS delta,
    avg(a.mean) OVER last_five AS moving_mean,
    stddev_samp(a.mean) OVER last_five AS moving_std_dev,
    count(a.mean) OVER last_five AS moving_count
FROM aggregate_scores AS a
INNER JOIN job ON a.job_id = job.job_id
WHERE job.status = 'completed'
WINDOW
    series AS (
        PARTITION BY a.workspace, a.dataset, a.model, job."group", a.suite, a.metric, a.name
        ORDER BY job.created_at, a.job_id
    ),
    last_five AS (
        PARTITION BY a.workspace, a.dataset, a.model, job."group", a.suite, a.metric, a.name
        ORDER BY job.created_at, a.job_id
        ROWS BETWEEN 4 PRECEDING AND CURRENT ROW
    );
COMMENT ON VIEW metric_trend IS
'Mean of a metric over the jobs of a series: previous, delta, mean and sample deviation over the last five points.';
