-- What two sides have in common, from the catalog alone.
-- Every metric of either, and whether they hold the same rows.
WITH shared_suite AS (
    SELECT
        suite,
        count(DISTINCT rows_digest) = 1 AND count(*) = len($baselines::VARCHAR[]) + 1 AS same_rows,
        max(try_cast(split_part(rows_digest, '-', 1) AS BIGINT)) AS different_rows
    FROM suites
    WHERE (job_id = $candidate OR list_contains($baselines::VARCHAR[], job_id))
    GROUP BY suite
    HAVING bool_or(job_id = $candidate) AND NOT bool_and(job_id = $candidate)
)

SELECT
    compared.*,
    shared_suite.suite IS NOT NULL AS suite_in_both,
    coalesce(shared_suite.same_rows, FALSE) AS same_rows,
    shared_suite.different_rows
FROM compared_metrics($baselines::VARCHAR[], $candidate) AS compared
LEFT JOIN shared_suite ON compared.suite = shared_suite.suite
WHERE
    ($metric::VARCHAR IS NULL OR compared.metric = $metric)
    AND ($suite::VARCHAR IS NULL OR compared.suite = $suite)
ORDER BY compared.number;
