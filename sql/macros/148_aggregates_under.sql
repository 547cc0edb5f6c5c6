-- The aggregates of all jobs under a policy for errors: as they are stored where no row is in error, else computed from
-- the rows. Of a job whose rows are gone that cannot be done: it keeps its counts, and has no mean.
CREATE OR REPLACE MACRO aggregates_under(errors := 'exclude') AS TABLE
    SELECT
        job_id, suite, metric, name, mean, std_error, passed, evaluated, items_scored, rows_scored, rows_unscored,
        rows_error, rows_total
    FROM aggregate_score
    WHERE errors = 'exclude' OR rows_error = 0
    UNION ALL
    SELECT
        job_id, suite, metric, name, mean, std_error, passed, evaluated, items_scored, rows_scored, rows_unscored,
        rows_error, rows_total
    FROM score_aggregates(errors := errors)
    WHERE errors <> 'exclude' AND rows_error > 0
    UNION ALL
    SELECT
        a.job_id, a.suite, a.metric, a.name, NULL AS mean, NULL AS std_error, NULL AS passed, NULL AS evaluated,
        a.items_scored, a.rows_scored, a.rows_unscored, a.rows_error, a.rows_total
    FROM aggregate_score AS a
    INNER JOIN score_file ON a.job_id = score_file.job_id
    WHERE errors <> 'exclude' AND a.rows_error > 0 AND score_file.rows_count = 0;
