-- How many rows two sides share, by suite.
-- With the same content, with other content under the same key, and on one side only.
SELECT
    suite,
    count(*) FILTER (WHERE in_baseline) AS baseline_rows,
    count(*) FILTER (WHERE in_candidate) AS candidate_rows,
    count(*) FILTER (WHERE in_baseline AND in_candidate AND NOT is_changed) AS paired,
    count(*) FILTER (WHERE is_changed) AS changed,
    count(*) FILTER (WHERE NOT in_candidate) AS only_in_baseline,
    count(*) FILTER (WHERE NOT in_baseline) AS only_in_candidate
FROM compared_rows($baselines::VARCHAR[], $candidate)
WHERE ($suite::VARCHAR IS NULL OR suite = $suite)
GROUP BY suite
ORDER BY suite;
