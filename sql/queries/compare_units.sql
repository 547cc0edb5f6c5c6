-- The sums of the differences over what is independent: clusters, and rows that are in none.
-- With how many units have that sum, whatever its sign.
WITH unit AS (
    SELECT
        suite,
        metric,
        name,
        slice,
        sum(difference) AS difference,
        sum(greatest(abs(baseline_value), abs(candidate_value))) FILTER (WHERE difference <> 0) AS size_of_values
    FROM
        compared_pairs(
            $baselines::VARCHAR[], $candidate, $errors, $is_plain, $check_content, $told_by::VARCHAR[],
            $cluster_source, $cluster_path, $slice_source, $slice_path
        )
    WHERE
        difference IS NOT NULL
        AND ($metric::VARCHAR IS NULL OR metric = $metric)
        AND ($suite::VARCHAR IS NULL OR suite = $suite)
    GROUP BY suite, metric, name, slice, coalesce('cluster ' || "cluster", 'row ' || row_key)
)

SELECT
    suite,
    metric,
    name,
    slice,
    abs(difference) AS size,
    count(*) AS units
FROM unit
WHERE abs(difference) > 1e-12 * size_of_values  -- what is less is rounding
GROUP BY suite, metric, name, slice, size
ORDER BY suite, metric, name, slice, size;
