-- One line per metric and row key of both sides, repetitions averaged: the value on either side, the share of its
-- repetitions that is right, and whether it is in error: nothing of it is scored, and something failed. Where the jobs
-- are plain (see compare_shape) their scores are joined as they are, which takes half the time.
CREATE OR REPLACE MACRO compared_items(compared_metric, baselines, candidate, errors, is_plain) AS TABLE
    -- The common tables are used by the names that are handed on.
    -- noqa: disable=ST03
    WITH score AS NOT MATERIALIZED (
        SELECT * FROM compared_scores(compared_metric, baselines, candidate)
        WHERE NOT (is_plain AND errors = 'exclude')
    ),

    repetition AS NOT MATERIALIZED (
        SELECT * FROM compared_repetitions('score', errors)
    )

    SELECT * FROM compared_plain_items(compared_metric, baselines, candidate)
    WHERE is_plain AND errors = 'exclude'
    UNION ALL BY NAME
    SELECT
        number,
        row_key,
        baseline_value,
        candidate_value,
        baseline_right,
        candidate_right,
        coalesce(baseline_state = 1, FALSE) AS baseline_in_error,
        coalesce(candidate_state = 1, FALSE) AS candidate_in_error,
        last_repetition,
        row_index,
        last_row_index
    FROM repetition
    WHERE errors = 'exclude'
    UNION ALL BY NAME
    SELECT * FROM compared_items_with_errors(compared_metric, 'repetition', errors);
