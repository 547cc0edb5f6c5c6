-- The overall score of suites from job to job, over windows of this many points and days, out of the aggregates in a
-- relation that is named: the table aggregate_score, or what was made of it under a policy for errors; another one says
-- which metrics are scaled (null: nobody knows, and then the score is not known). Only completed jobs are points,
-- unless any_status is true. The interval is the mean of those of the metrics: as wide as it can be,
-- since they stand on the same rows.
CREATE OR REPLACE MACRO suite_trend_from(
    aggregates, errors := 'exclude', last_points := 5, last_days := 7, per := 'run', any_status := FALSE,
    scales := 'suite_metrics'
) AS TABLE
    -- The points are used by the name that is handed on.
    -- noqa: disable=ST03
    WITH scaled AS (
        SELECT
            a.* EXCLUDE (std_error),
            -- Where a threshold judges, that of the values says nothing of how many pass.
            CASE WHEN a.evaluated IS NULL OR abs(a.mean - a.passed / a.evaluated) < 1e-9 THEN a.std_error END
                AS std_error,
            coalesce(declared_direction(job.metrics, a.metric, a.name), TRUE) AS is_ascending,
            CASE
                WHEN NOT coalesce(measured.is_scaled, FALSE) THEN NULL
                WHEN a.evaluated IS NULL THEN a.mean
                ELSE a.passed / a.evaluated
            END AS score
        FROM query_table(aggregates) AS a
        INNER JOIN query_table(scales) AS measured
            ON
                a.job_id = measured.job_id
                AND a.suite = measured.suite
                AND a.metric = measured.metric
                AND a.name = measured.name
        INNER JOIN job ON a.job_id = job.job_id
        WHERE coalesce(measured.is_scaled, TRUE)
    ),

    suite_scores AS (
        SELECT
            job_id,
            suite,
            avg(CASE WHEN evaluated IS NOT NULL OR is_ascending THEN score ELSE 1 - score END) AS overall_score,
            sum(passed) / nullif(sum(evaluated), 0) AS pass_rate,
            bool_or(score IS NULL) AS lacks_rows,
            avg(CASE
                WHEN evaluated IS NOT NULL OR is_ascending THEN mean_bound(score, std_error, passed, evaluated, -1)
                ELSE 1 - mean_bound(score, std_error, passed, evaluated, 1)
            END) AS low,
            avg(CASE
                WHEN evaluated IS NOT NULL OR is_ascending THEN mean_bound(score, std_error, passed, evaluated, 1)
                ELSE 1 - mean_bound(score, std_error, passed, evaluated, -1)
            END) AS high
        FROM scaled
        GROUP BY job_id, suite
    ),

    points AS NOT MATERIALIZED (
        SELECT
            suites.workspace, suites.dataset, suites.model, suites."group", suites.suite, suites.job, suites.job_id,
            suites.job_status AS status, suites.created_at, suites.events_processed, suites.rows_digest,
            found.low, found.high,
            NULL::VARCHAR AS metric, NULL::VARCHAR AS name,
            CASE
                WHEN errors = 'exclude' THEN suites.overall_score
                WHEN NOT found.lacks_rows THEN found.overall_score
            END AS "value",
            CASE
                WHEN errors = 'exclude' THEN suites.pass_rate
                WHEN NOT found.lacks_rows THEN found.pass_rate
            END AS pass_rate
        FROM suites
        LEFT JOIN suite_scores AS found ON suites.job_id = found.job_id AND suites.suite = found.suite
        WHERE suites.job_status = 'completed' OR (any_status AND suites.job_status <> 'active')
    )

    SELECT
        workspace, dataset, model, "group", suite, job, job_id, status, created_at, "day", "position", runs_that_day,
        "value" AS overall_score, low, high, pass_rate, events_processed, rows_digest, previous, delta, rows_changed,
        moving_mean, moving_std_dev, moving_count, days_mean, days_std_dev, days_count
    FROM trend_of('points', last_points := last_points, last_days := last_days, per := per);
