-- One line per metric and row key of two jobs, repetitions averaged: the value on either side, the share of its
-- repetitions that is right, and whether it is in error: nothing of it is scored, and something failed.
CREATE OR REPLACE MACRO compared_items(compared_metric, baseline, candidate, errors) AS TABLE
    -- The common tables are used by the names that are handed on.
    -- noqa: disable=ST03
    WITH score AS NOT MATERIALIZED (
        SELECT * FROM compared_scores(compared_metric, baseline, candidate)
    ),

    repetition AS NOT MATERIALIZED (
        SELECT * FROM compared_repetitions('score', errors)
    ),

    counted AS NOT MATERIALIZED (
        SELECT
            number,
            row_key,
            baseline_sum,
            candidate_sum,
            baseline_count,
            candidate_count,
            baseline_right / nullif(baseline_judged, 0) AS baseline_right,
            candidate_right / nullif(candidate_judged, 0) AS candidate_right,
            baseline_scored = 0 AND (baseline_errors > 0 OR baseline_failed) AS baseline_in_error,
            candidate_scored = 0 AND (candidate_errors > 0 OR candidate_failed) AS candidate_in_error,
            last_repetition,
            row_index
        FROM repetition
        WHERE errors = 'exclude'
        UNION ALL BY NAME
        SELECT * FROM compared_items_with_errors(compared_metric, 'repetition', errors)
    )

    SELECT
        * EXCLUDE (baseline_sum, candidate_sum, baseline_count, candidate_count),
        baseline_sum / nullif(baseline_count, 0) AS baseline_value,
        candidate_sum / nullif(candidate_count, 0) AS candidate_value
    FROM counted;
