-- The scores of each row on both sides: with its repetitions together where errors are left out, else one line per job
-- and repetition. A score that is there goes before an error, and an error before nothing.
CREATE OR REPLACE MACRO compared_repetitions(compared_score, errors) AS TABLE
    SELECT
        number,
        row_key,
        avg(value) FILTER (WHERE NOT is_candidate) AS baseline_value,
        avg(value) FILTER (WHERE is_candidate) AS candidate_value,
        avg(is_right::INTEGER) FILTER (WHERE NOT is_candidate) AS baseline_right,
        avg(is_right::INTEGER) FILTER (WHERE is_candidate) AS candidate_right,
        max(state) FILTER (WHERE NOT is_candidate) AS baseline_state,
        max(state) FILTER (WHERE is_candidate) AS candidate_state,
        max(greatest(repetition, score_index)) AS last_repetition,
        min(row_index) AS row_index,
        max(row_index) AS last_row_index,
        -- What only policies need that give errors a value.
        count(value) FILTER (WHERE NOT is_candidate) AS baseline_count,
        count(value) FILTER (WHERE is_candidate) AS candidate_count,
        count(is_right) FILTER (WHERE NOT is_candidate) AS baseline_judged,
        count(is_right) FILTER (WHERE is_candidate) AS candidate_judged,
        count(*) FILTER (WHERE state = 2 AND NOT is_candidate) AS baseline_scored,
        count(*) FILTER (WHERE state = 2 AND is_candidate) AS candidate_scored,
        count(*) FILTER (WHERE state = 1 AND NOT (is_failed OR is_candidate)) AS baseline_errors,
        count(*) FILTER (WHERE state = 1 AND NOT is_failed AND is_candidate) AS candidate_errors,
        count(*) FILTER (WHERE state = 0 AND NOT is_candidate) AS baseline_unscored,
        count(*) FILTER (WHERE state = 0 AND is_candidate) AS candidate_unscored,
        coalesce(bool_or(is_failed) FILTER (WHERE NOT is_candidate), FALSE) AS baseline_failed,
        coalesce(bool_or(is_failed) FILTER (WHERE is_candidate), FALSE) AS candidate_failed,
        bool_and(is_boolean) FILTER (WHERE state = 2) AS is_boolean
    FROM (
        SELECT
            *,
            CASE WHEN errors = 'exclude' THEN 0 ELSE repetition END AS own_line,
            CASE WHEN errors = 'exclude' THEN NULL ELSE job_id END AS own_job
        FROM query_table(compared_score)
    ) AS score
    GROUP BY number, row_key, own_line, own_job;

-- How many errors a repetition stands for: in a row that failed, each score that is missing is one.
CREATE OR REPLACE MACRO errors_of_row(is_failed, scored_count, error_count, unscored_count) AS
CASE
    WHEN is_failed THEN error_count + unscored_count + (scored_count + error_count + unscored_count = 0)::INTEGER
    ELSE error_count
END;
