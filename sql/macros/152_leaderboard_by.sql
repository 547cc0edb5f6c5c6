-- The leaderboard with rows in error left out of the means, counted as zero or as the worst value.
CREATE OR REPLACE MACRO leaderboard_by(errors := 'exclude') AS TABLE
    -- The common table is used by the name that is handed on.
    -- noqa: disable=ST03
    WITH measured AS (
        SELECT
            job_id, suite, metric, name, mean, std_error, passed, evaluated, rows_scored, rows_unscored, rows_error,
            rows_total
        FROM aggregate_score
        WHERE errors = 'exclude'
        UNION ALL
        SELECT
            job_id, suite, metric, name, mean, std_error, passed, evaluated, rows_scored, rows_unscored, rows_error,
            rows_total
        FROM score_aggregates(errors := errors)
        WHERE errors <> 'exclude'
    )

    SELECT * FROM ranked_models('measured');
