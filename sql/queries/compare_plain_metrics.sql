-- The same of plain jobs (see compare_shape) without clusters, of which no row has other content.
-- Of small jobs, planning the longer question takes longer than asking this one.
WITH pair AS NOT MATERIALIZED (  -- noqa: ST03
    SELECT * FROM compared_plain_pairs($baselines::VARCHAR[], $candidate)
    WHERE ($metric::VARCHAR IS NULL OR metric = $metric) AND ($suite::VARCHAR IS NULL OR suite = $suite)
),

cluster_of_pairs AS (  -- noqa: ST03
    SELECT * FROM compared_clusters('pair')
)

SELECT * FROM compared_summary('cluster_of_pairs')
ORDER BY number, slice;
