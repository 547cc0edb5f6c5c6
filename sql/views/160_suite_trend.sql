-- Every completed job as a point of its series (workspace, dataset, model, group, suite): the previous point, the
-- difference, mean and spread over the last five points.
CREATE OR REPLACE VIEW suite_trend AS
SELECT
    workspace,
    dataset,
    model,
    "group",
    suite,
    job,
    job_id,
    created_at,
    overall_score,
    pass_rate,
    events_processed,
    rows_digest,
    lag(overall_score) OVER series AS previous,
    overall_score - lag(overall_score) OVER series AS delta,
    rows_digest <> lag(rows_digest) OVER series AS rows_changed,
    avg(overall_score) OVER last_five AS moving_mean,
    stddev_samp(overall_score) OVER last_five AS moving_std_dev,
    count(overall_score) OVER last_five AS moving_count
FROM suites
WHERE job_status = 'completed'
WINDOW
    series AS (PARTITION BY workspace, dataset, model, "group", suite ORDER BY created_at, job_id),
    last_five AS (
        PARTITION BY workspace, dataset, model, "group", suite ORDER BY created_at, job_id
        ROWS BETWEEN 4 PRECEDING AND CURRENT ROW
    );
COMMENT ON VIEW suite_trend IS
'Overall score of a suite over the jobs of a series: previous, delta, mean and sample deviation over the last five points.';
