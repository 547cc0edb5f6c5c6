-- The same of plain jobs (see compare_shape): their scores, joined as they are, which takes half the time.
CREATE OR REPLACE MACRO compared_plain_items(compared_metric, baselines, candidate) AS TABLE
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
        least(before.row_index, after.row_index) AS row_index,
        greatest(before.row_index, after.row_index) AS last_row_index
    FROM compared_scores_of(compared_metric, baselines) AS before
    FULL JOIN compared_scores_of(compared_metric, [candidate]) AS after
        ON before.number = after.number AND before.row_key = after.row_key;
