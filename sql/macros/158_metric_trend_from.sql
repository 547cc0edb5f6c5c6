-- The mean of metrics from job to job, over windows of this many points and days, out of the aggregates in a relation
-- that is named: the table aggregate_score, or what was made of it under a policy for errors. Only completed jobs are
-- points, unless any_status is true.
CREATE OR REPLACE MACRO metric_trend_from(
    aggregates, last_points := 5, last_days := 7, per := 'run', any_status := FALSE
) AS TABLE
    -- The points are used by the name that is handed on.
    -- noqa: disable=ST03
    WITH points AS NOT MATERIALIZED (
        SELECT
            job.workspace, job.dataset, job.model, job."group", a.suite, a.metric, a.name, job.name AS job, job.job_id,
            job.status, job.created_at, job.git_commit, a.mean AS "value", a.std_error, a.passed, a.evaluated,
            a.rows_scored, a.rows_unscored, a.rows_error, a.rows_total,
            mean_bound(a.mean, a.std_error, a.passed, a.evaluated, -1) AS low,
            mean_bound(a.mean, a.std_error, a.passed, a.evaluated, 1) AS high,
            list_filter(job.suites, lambda s: s.name = a.suite)[1].rows_digest AS rows_digest
        FROM query_table(aggregates) AS a
        INNER JOIN job ON a.job_id = job.job_id
        WHERE job.status = 'completed' OR (any_status AND job.status <> 'active')
    )

    SELECT
        workspace, dataset, model, "group", suite, metric, name, job, job_id, status, created_at, "day", "position",
        runs_that_day, git_commit, "value" AS mean, std_error, low, high, passed, evaluated, rows_scored,
        rows_unscored, rows_error, rows_total, rows_digest, previous, delta, rows_changed, moving_mean,
        moving_std_dev, moving_count, days_mean, days_std_dev, days_count
    FROM trend_of('points', last_points := last_points, last_days := last_days, per := per);
