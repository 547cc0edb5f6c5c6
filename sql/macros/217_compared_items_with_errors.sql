-- The same for a policy that gives errors a value: each counts as a score of that value, and as wrong where the metric
-- is judged. The worst value is the worst of both jobs.
CREATE OR REPLACE MACRO compared_items_with_errors(compared_metric, compared_repetition, errors) AS TABLE
    WITH kind AS (
        SELECT
            number,
            coalesce(bool_and(is_boolean), FALSE) AS is_boolean,
            sum(baseline_judged + candidate_judged) > 0 AS is_judged
        FROM query_table(compared_repetition)
        GROUP BY number
    ),

    worth AS (
        SELECT
            place.number,
            kind.is_judged,
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
            r.*,
            coalesce(worth.value_of_error, 0) AS worth,
            (worth.value_of_error IS NOT NULL)::INTEGER AS is_valued,
            worth.is_judged::INTEGER AS is_judged,
            errors_of_row(baseline_failed, baseline_scored, baseline_errors, baseline_unscored) AS baseline_failures,
            errors_of_row(candidate_failed, candidate_scored, candidate_errors, candidate_unscored)
                AS candidate_failures
        FROM query_table(compared_repetition) AS r
        INNER JOIN worth ON r.number = worth.number
        WHERE errors <> 'exclude'
    )

    SELECT
        number,
        row_key,
        sum(coalesce(baseline_value * baseline_count, 0) + worth * baseline_failures)
        / nullif(sum(baseline_count + is_valued * baseline_failures), 0) AS baseline_value,
        sum(coalesce(candidate_value * candidate_count, 0) + worth * candidate_failures)
        / nullif(sum(candidate_count + is_valued * candidate_failures), 0) AS candidate_value,
        sum(coalesce(baseline_right * baseline_judged, 0))
        / nullif(sum(baseline_judged + is_judged * baseline_failures), 0) AS baseline_right,
        sum(coalesce(candidate_right * candidate_judged, 0))
        / nullif(sum(candidate_judged + is_judged * candidate_failures), 0) AS candidate_right,
        sum(baseline_scored) = 0 AND sum(baseline_failures) > 0 AS baseline_in_error,
        sum(candidate_scored) = 0 AND sum(candidate_failures) > 0 AS candidate_in_error,
        max(last_repetition) AS last_repetition,
        min(row_index) AS row_index,
        max(last_row_index) AS last_row_index
    FROM counted
    GROUP BY number, row_key;
