-- How many rows of one job there are, and how many of them name a cluster, by suite.
-- The cluster is that of the rows, or a field of them that is named.
SELECT
    suite,
    count(*) AS rows_total,
    count(
        CASE
            WHEN $cluster_source::VARCHAR IS NULL THEN r."cluster"
            ELSE row_field(
                $cluster_source::VARCHAR, $cluster_path::VARCHAR, r.suite, r.row_key, r.repetition, r."cluster",
                r.tags, r.error, r.latency, r.cost, r.total_tokens, r.item, r.sample, r.reference, r.metadata
            )
        END
    ) AS rows_clustered
FROM rows AS r
WHERE r.job_id = $job_id
GROUP BY suite
ORDER BY suite;
