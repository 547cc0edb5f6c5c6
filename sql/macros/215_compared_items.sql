-- One line per metric and row key of two jobs, repetitions averaged: the value on either side under a policy for
-- errors, whether it is right (as a share of its repetitions), and whether it is in error. A key is in error where
-- nothing of it is scored and something failed.
CREATE OR REPLACE MACRO compared_items(compared_metric, baseline, candidate, errors) AS TABLE
    WITH score AS NOT MATERIALIZED (
        SELECT * FROM compared_scores(compared_metric, baseline, candidate)
    ),

    -- Left out, errors need no value, and repetitions no lines of their own.
    repetition AS NOT MATERIALIZED (
        SELECT
            number,
            row_key,
            sum(value) FILTER (WHERE NOT is_candidate) AS baseline_sum,
            sum(value) FILTER (WHERE is_candidate) AS candidate_sum,
            count(value) FILTER (WHERE NOT is_candidate) AS baseline_count,
            count(value) FILTER (WHERE is_candidate) AS candidate_count,
            count(*) FILTER (WHERE is_scored AND NOT is_candidate) AS baseline_scored,
            count(*) FILTER (WHERE is_scored AND is_candidate) AS candidate_scored,
            avg(is_right::INTEGER) FILTER (WHERE NOT is_candidate) AS baseline_right,
            avg(is_right::INTEGER) FILTER (WHERE is_candidate) AS candidate_right,
            -- A score that is missing in a row that failed is an error.
            count(*) FILTER (WHERE is_error AND NOT is_candidate) AS baseline_errors,
            count(*) FILTER (WHERE is_error AND is_candidate) AS candidate_errors,
            count(*) FILTER (WHERE NOT (is_scored OR is_error OR is_failed) AND NOT is_candidate) AS baseline_unscored,
            count(*) FILTER (WHERE NOT (is_scored OR is_error OR is_failed) AND is_candidate) AS candidate_unscored,
            coalesce(bool_or(is_failed) FILTER (WHERE NOT is_candidate), FALSE) AS baseline_failed,
            coalesce(bool_or(is_failed) FILTER (WHERE is_candidate), FALSE) AS candidate_failed,
            max(greatest(repetition, score_index)) AS last_repetition,
            min(row_index) AS row_index
        FROM score
        GROUP BY number, row_key, CASE WHEN errors = 'exclude' THEN 0 ELSE repetition END
    )

    SELECT
        *,
        baseline_sum / nullif(baseline_count, 0) AS baseline_value,
        candidate_sum / nullif(candidate_count, 0) AS candidate_value,
        baseline_scored = 0 AND (baseline_errors > 0 OR baseline_failed) AS baseline_in_error,
        candidate_scored = 0 AND (candidate_errors > 0 OR candidate_failed) AS candidate_in_error
    FROM repetition
    WHERE errors = 'exclude'
    UNION ALL BY NAME
    SELECT
        item.*,
        (baseline_sum + coalesce(nullif(baseline_errors, 0) * worth.value, 0)) / nullif(baseline_count + CASE WHEN worth.value IS NULL THEN 0 ELSE baseline_errors END, 0) AS baseline_value
    FROM repetition AS item, (SELECT 0.0 AS value) AS worth WHERE FALSE;
