-- How many rows have labels without a number on both sides, and how many of these have other labels, by metric.
-- Of repetitions and several baselines the different labels count.
WITH labelled AS (
    SELECT
        suite,
        metric,
        name,
        row_key,
        list(DISTINCT label ORDER BY label) FILTER (WHERE job_id <> $candidate) AS before,
        list(DISTINCT label ORDER BY label) FILTER (WHERE job_id = $candidate) AS after
    FROM row_scores
    WHERE
        (job_id = $candidate OR list_contains($baselines::VARCHAR[], job_id))
        AND status = 'scored'
        AND value IS NULL
        AND label IS NOT NULL
        AND ($metric::VARCHAR IS NULL OR metric = $metric)
        AND ($suite::VARCHAR IS NULL OR suite = $suite)
    GROUP BY suite, metric, name, row_key
)

SELECT
    suite,
    metric,
    name,
    count(*) AS labelled,
    count(*) FILTER (WHERE before <> after) AS changed
FROM labelled
WHERE before IS NOT NULL AND after IS NOT NULL
GROUP BY suite, metric, name
ORDER BY suite, metric, name;
