-- The same of plain jobs without clusters (see compare_shape), of which no row has other content: of small jobs, planning
-- the longer question takes longer than asking this one.
WITH pair AS NOT MATERIALIZED (
    SELECT * FROM compared_plain_pairs($baselines::VARCHAR[], $candidate)
    WHERE ($metric::VARCHAR IS NULL OR metric = $metric) AND ($suite::VARCHAR IS NULL OR suite = $suite)
),

cluster_of_pairs AS (
    SELECT * FROM compared_clusters('pair')
)

SELECT * FROM compared_summary('cluster_of_pairs')
ORDER BY number, slice;
