-- The rows that flipped in some of the ways that flip_name names.
-- The greatest differences of a metric come first, and so many of each at most.
SELECT
    suite,
    metric,
    name,
    flip_name(pair.flip) AS flip,
    row_key,
    row_index,
    last_row_index,
    baseline_value,
    candidate_value,
    difference,
    slice
FROM
    compared_pairs(
        $baselines::VARCHAR[], $candidate, $errors, $is_plain, $check_content, $told_by::VARCHAR[],
        NULL, NULL, $slice_source, $slice_path
    ) AS pair
WHERE
    list_contains(flip_numbers($flips::VARCHAR[]), pair.flip)
    AND ($metric::VARCHAR IS NULL OR metric = $metric)
    AND ($suite::VARCHAR IS NULL OR suite = $suite)
QUALIFY
    $limit::BIGINT IS NULL
    OR row_number() OVER (
        PARTITION BY number, pair.flip ORDER BY abs(difference) DESC, row_index ASC, row_key ASC
    ) <= $limit
ORDER BY suite ASC, metric ASC, name ASC, flip ASC, abs(difference) DESC, row_index ASC, row_key ASC;
