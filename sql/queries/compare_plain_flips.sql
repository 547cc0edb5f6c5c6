-- So many of those rows, of plain jobs (see compare_shape) without slices, of which no row has other content.
-- Of a million rows those few are kept while they are read: to sort them all takes as long as to find them.
WITH best AS (
    SELECT
        any_value(suite) AS suite,
        any_value(metric) AS metric,
        any_value(name) AS name,
        flip,
        min(
            struct_pack(
                rank := -abs(difference),
                row_index := row_index,
                row_key := row_key,
                last_row_index := last_row_index,
                baseline_value := baseline_value,
                candidate_value := candidate_value,
                difference := difference
            ),
            $limit::BIGINT
        ) AS found
    FROM compared_plain_pairs($baselines::VARCHAR[], $candidate)
    WHERE
        list_contains(flip_numbers($flips::VARCHAR[]), flip)
        AND ($metric::VARCHAR IS NULL OR metric = $metric)
        AND ($suite::VARCHAR IS NULL OR suite = $suite)
    GROUP BY number, flip
),

shown AS (
    SELECT
        suite,
        metric,
        name,
        flip,
        unnest(found) AS kept
    FROM best
)

SELECT
    suite,
    metric,
    name,
    flip_name(flip) AS flip,
    kept.row_key,
    kept.row_index,
    kept.last_row_index,
    kept.baseline_value,
    kept.candidate_value,
    kept.difference,
    NULL::VARCHAR AS slice
FROM shown
ORDER BY suite ASC, metric ASC, name ASC, flip ASC, kept.rank ASC, kept.row_index ASC, kept.row_key ASC;
