-- The same for a policy that gives errors a value: each counts as a score of that value, and as wrong where the metric
-- is judged. The worst value is the worst of both jobs.
CREATE OR REPLACE MACRO compared_items_with_errors(compared_metric, compared_repetition, errors) AS TABLE
    WITH kind AS (
        SELECT
            number,
            coalesce(bool_and(is_boolean), FALSE) AS is_boolean
        FROM query_table(compared_repetition)
        GROUP BY number
    ),

    worth AS (
        SELECT
            place.number,
            value_of_error(
                errors, place.score_type, place.rubric, kind.is_boolean, place.higher_is_better, place.minimum,
                place.maximum, place.lowest, place.highest
            ) AS value_of_error
        FROM kind
        INNER JOIN query_table(compared_metric) AS place ON kind.number = place.number
        WHERE errors <> 'exclude'
    ),

    counted AS (
        SELECT
            *,
            errors_of_row(baseline_failed, baseline_scored, baseline_errors, baseline_unscored) AS baseline_failures,
            errors_of_row(candidate_failed, candidate_scored, candidate_errors, candidate_unscored)
                AS candidate_failures
        FROM query_table(compared_repetition)
        WHERE errors <> 'exclude'
    )

    SELECT
        item.number,
        item.row_key,
        coalesce(sum(item.baseline_sum), 0) + coalesce(sum(worth.value_of_error * item.baseline_failures), 0)
            AS baseline_sum,
        coalesce(sum(item.candidate_sum), 0) + coalesce(sum(worth.value_of_error * item.candidate_failures), 0)
            AS candidate_sum,
        sum(item.baseline_count)
        + coalesce(sum(item.baseline_failures) FILTER (WHERE worth.value_of_error IS NOT NULL), 0) AS baseline_count,
        sum(item.candidate_count)
        + coalesce(sum(item.candidate_failures) FILTER (WHERE worth.value_of_error IS NOT NULL), 0)
            AS candidate_count,
        sum(item.baseline_right) / nullif(sum(item.baseline_judged) + sum(item.baseline_failures), 0)
            AS baseline_right,
        sum(item.candidate_right) / nullif(sum(item.candidate_judged) + sum(item.candidate_failures), 0)
            AS candidate_right,
        sum(item.baseline_scored) = 0 AND sum(item.baseline_failures) > 0 AS baseline_in_error,
        sum(item.candidate_scored) = 0 AND sum(item.candidate_failures) > 0 AS candidate_in_error,
        max(item.last_repetition) AS last_repetition,
        min(item.row_index) AS row_index
    FROM counted AS item
    INNER JOIN worth ON item.number = worth.number
    GROUP BY item.number, item.row_key;
