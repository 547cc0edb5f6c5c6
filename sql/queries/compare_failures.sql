-- How many rows of two jobs failed, by suite: on either side, and on one of them at least.
SELECT
    suite,
    count(DISTINCT row_key) FILTER (WHERE list_contains($baselines::VARCHAR[], job_id)) AS baseline_failed,
    count(DISTINCT row_key) FILTER (WHERE job_id = $candidate) AS candidate_failed,
    count(DISTINCT row_key) AS either_failed
FROM rows
WHERE
    (job_id = $candidate OR list_contains($baselines::VARCHAR[], job_id))
    AND error IS NOT NULL
    AND ($suite::VARCHAR IS NULL OR suite = $suite)
GROUP BY suite;
