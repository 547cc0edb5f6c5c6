-- What statistics need of two sides that are compared row by row, one line per metric.
-- And per slice, where one is named. The names of the metrics are those of compare_jobs, by their numbers.
WITH pair AS NOT MATERIALIZED (  -- noqa: ST03
    SELECT * FROM
        compared_pairs(
            $baselines::VARCHAR[], $candidate, $errors, $is_plain, $check_content, $told_by::VARCHAR[],
            $cluster_source, $cluster_path, $slice_source,
            $slice_path
        )
    WHERE ($metric::VARCHAR IS NULL OR metric = $metric) AND ($suite::VARCHAR IS NULL OR suite = $suite)
),

cluster_of_pairs AS (  -- noqa: ST03
    SELECT * FROM compared_clusters('pair')
)

SELECT * FROM compared_summary('cluster_of_pairs')
ORDER BY number, slice;
