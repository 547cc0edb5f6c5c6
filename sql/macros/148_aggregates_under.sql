-- The aggregates of all jobs under a policy for errors: as they are stored where no row is in error, else computed from
-- the rows. Of a job whose rows are gone that cannot be done: it keeps its counts, and has no mean.
CREATE OR REPLACE MACRO aggregates_under(errors := 'exclude') AS TABLE
    SELECT
        job_id, suite, metric, name, mean, std_error, passed, evaluated, items_scored, rows_scored, rows_unscored,
        rows_error, rows_total
    FROM aggregate_score
    WHERE errors = 'exclude' OR rows_error = 0
    UNION ALL
    -- A metric in which nothing scored does not tell what it is: its series does.
    SELECT
        a.job_id, a.suite, a.metric, a.name,
        coalesce(a.mean, CASE WHEN errors = 'worst' AND a.rows_scored = 0 THEN silent.worst END) AS mean,
        a.std_error,
        coalesce(a.passed, CASE WHEN a.rows_scored = 0 AND silent.is_judged THEN 0 END) AS passed,
        coalesce(a.evaluated, CASE WHEN a.rows_scored = 0 AND silent.is_judged THEN a.rows_error END) AS evaluated,
        a.items_scored, a.rows_scored, a.rows_unscored, a.rows_error, a.rows_total
    FROM score_aggregates(errors := errors) AS a
    LEFT JOIN metrics_in_error() AS silent
        ON
            a.job_id = silent.job_id
            AND a.suite = silent.suite
            AND a.metric = silent.metric
            AND a.name = silent.name
    WHERE errors <> 'exclude' AND a.rows_error > 0
    UNION ALL
    SELECT
        a.job_id, a.suite, a.metric, a.name, NULL AS mean, NULL AS std_error, NULL AS passed, NULL AS evaluated,
        a.items_scored, a.rows_scored, a.rows_unscored, a.rows_error, a.rows_total
    FROM aggregate_score AS a
    INNER JOIN score_file ON a.job_id = score_file.job_id
    WHERE errors <> 'exclude' AND a.rows_error > 0 AND score_file.rows_count = 0;
