-- The scores of each repetition of a row in two jobs, side by side. Where errors are left out they need no value, and
-- the repetitions of a row are taken together at once.
CREATE OR REPLACE MACRO compared_repetitions(compared_score, errors) AS TABLE
    SELECT
        number,
        row_key,
        sum(value) FILTER (WHERE NOT is_candidate) AS baseline_sum,
        sum(value) FILTER (WHERE is_candidate) AS candidate_sum,
        count(value) FILTER (WHERE NOT is_candidate) AS baseline_count,
        count(value) FILTER (WHERE is_candidate) AS candidate_count,
        count(*) FILTER (WHERE is_scored AND NOT is_candidate) AS baseline_scored,
        count(*) FILTER (WHERE is_scored AND is_candidate) AS candidate_scored,
        count(*) FILTER (WHERE is_right AND NOT is_candidate) AS baseline_right,
        count(*) FILTER (WHERE is_right AND is_candidate) AS candidate_right,
        count(is_right) FILTER (WHERE NOT is_candidate) AS baseline_judged,
        count(is_right) FILTER (WHERE is_candidate) AS candidate_judged,
        count(*) FILTER (WHERE is_error AND NOT is_candidate) AS baseline_errors,
        count(*) FILTER (WHERE is_error AND is_candidate) AS candidate_errors,
        count(*) FILTER (WHERE NOT (is_scored OR is_error OR is_failed) AND NOT is_candidate) AS baseline_unscored,
        count(*) FILTER (WHERE NOT (is_scored OR is_error OR is_failed) AND is_candidate) AS candidate_unscored,
        coalesce(bool_or(is_failed) FILTER (WHERE NOT is_candidate), FALSE) AS baseline_failed,
        coalesce(bool_or(is_failed) FILTER (WHERE is_candidate), FALSE) AS candidate_failed,
        bool_and(is_boolean) FILTER (WHERE is_scored) AS is_boolean,
        max(greatest(repetition, score_index)) AS last_repetition,
        min(row_index) AS row_index
    FROM (
        SELECT
            *,
            CASE WHEN errors = 'exclude' THEN 0 ELSE repetition END AS own_line
        FROM query_table(compared_score)
    ) AS score
    GROUP BY number, row_key, own_line;

-- How many errors a repetition stands for: in a row that failed, each score that is missing is one.
CREATE OR REPLACE MACRO errors_of_row(is_failed, scored_count, error_count, unscored_count) AS
CASE
    WHEN is_failed THEN error_count + unscored_count + (scored_count + error_count + unscored_count = 0)::INTEGER
    ELSE error_count
END;
