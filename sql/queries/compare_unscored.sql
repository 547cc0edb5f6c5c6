-- How many rows of both sides are scored on one alone, and not in error on the other, by metric.
-- Rows that the other side does not hold at all are no such rows.
SELECT
    pair.suite,
    pair.metric,
    pair.name,
    count(*) FILTER (WHERE pair.baseline_value IS NOT NULL AND NOT pair.candidate_in_error) AS newly_unscored,
    count(*) FILTER (WHERE pair.candidate_value IS NOT NULL AND NOT pair.baseline_in_error) AS newly_scored
FROM
    compared_pairs(
        $baselines::VARCHAR[], $candidate, $errors, $is_plain, $check_content, $told_by::VARCHAR[],
        NULL, NULL, NULL, NULL
    ) AS pair
INNER JOIN compared_rows($baselines::VARCHAR[], $candidate) AS both_sides
    ON pair.suite = both_sides.suite AND pair.row_key = both_sides.row_key
WHERE
    both_sides.in_baseline
    AND both_sides.in_candidate
    AND (pair.baseline_value IS NULL) <> (pair.candidate_value IS NULL)
    AND ($metric::VARCHAR IS NULL OR pair.metric = $metric)
    AND ($suite::VARCHAR IS NULL OR pair.suite = $suite)
GROUP BY pair.suite, pair.metric, pair.name
ORDER BY pair.suite, pair.metric, pair.name;
