-- What statistics need of two jobs that are compared row by row: one line per metric, and per slice where one is named.
WITH pair AS NOT MATERIALIZED (
    SELECT * FROM compared_pairs(
        $baselines::VARCHAR[], $candidate, $errors, $is_plain, $check_content, $told_by, $cluster_source, $cluster_path, $slice_source,
        $slice_path
    )
    WHERE ($metric::VARCHAR IS NULL OR metric = $metric) AND ($suite::VARCHAR IS NULL OR suite = $suite)
),

cluster_of_pairs AS (
    SELECT * FROM compared_clusters('pair')
)

SELECT
    place.suite,
    place.metric,
    place.name,
    place.higher_is_better,
    summary.* EXCLUDE (number)
FROM compared_summary('cluster_of_pairs') AS summary
INNER JOIN compared_metrics($baselines::VARCHAR[], $candidate) AS place ON summary.number = place.number
ORDER BY place.suite, place.metric, place.name, summary.slice;
