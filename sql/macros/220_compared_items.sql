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
    ),

    before AS NOT MATERIALIZED (
        SELECT * FROM compared_scores_of(compared_metric, baselines)
        WHERE is_plain AND errors = 'exclude'
    ),

    after AS NOT MATERIALIZED (
        SELECT * FROM compared_scores_of(compared_metric, [candidate])
        WHERE is_plain AND errors = 'exclude'
    )

    SELECT
        coalesce(before.number, after.number) AS number,
        coalesce(before.row_key, after.row_key) AS row_key,
        before.value AS baseline_value,
        after.value AS candidate_value,
        before.is_right::INTEGER AS baseline_right,
        after.is_right::INTEGER AS candidate_right,
        coalesce(before.state = 1, FALSE) AS baseline_in_error,
        coalesce(after.state = 1, FALSE) AS candidate_in_error,
        0 AS last_repetition,
        coalesce(before.row_index, after.row_index) AS row_index
    FROM before
    FULL JOIN after ON before.number = after.number AND before.row_key = after.row_key
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
        row_index
    FROM repetition
    WHERE errors = 'exclude'
    UNION ALL BY NAME
    SELECT * FROM compared_items_with_errors(compared_metric, 'repetition', errors);
