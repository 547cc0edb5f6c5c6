-- Trends under a policy for errors. They stand apart from those that need none: what computes aggregates anew takes
-- DuckDB longer to plan than a trend takes to answer.
CREATE OR REPLACE MACRO suite_trend_by(
    errors := 'exclude', last_points := 5, last_days := 7, per := 'run', any_status := FALSE
) AS TABLE
    -- The aggregates are used by the name that is handed on.
    -- noqa: disable=ST03
    WITH told AS (
        SELECT * FROM aggregates_under(errors := errors)
    ),

    scale AS (
        SELECT
            measured.job_id,
            measured.suite,
            measured.metric,
            measured.name,
            CASE
                WHEN errors <> 'exclude' AND silent.job_id IS NOT NULL THEN silent.is_scaled
                ELSE measured.is_scaled
            END AS is_scaled
        FROM suite_metrics AS measured
        LEFT JOIN metrics_in_error() AS silent
            ON
                measured.job_id = silent.job_id
                AND measured.suite = silent.suite
                AND measured.metric = silent.metric
                AND measured.name = silent.name
    )

    SELECT *
    FROM suite_trend_from(
        'told', errors := errors, last_points := last_points, last_days := last_days, per := per,
        any_status := any_status, scales := 'scale'
    );

CREATE OR REPLACE MACRO metric_trend_by(
    errors := 'exclude', last_points := 5, last_days := 7, per := 'run', any_status := FALSE
) AS TABLE
    WITH told AS (
        SELECT * FROM aggregates_under(errors := errors)
    )

    SELECT *
    FROM metric_trend_from(
        'told', last_points := last_points, last_days := last_days, per := per, any_status := any_status
    );
