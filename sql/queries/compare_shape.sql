-- Whether the scores of two sides are plain, and how many rows failed, by suite.
-- Plain is: no row is repeated or failed, no metric scores a row twice, and the baseline is one job.
WITH row_shape AS (
    SELECT
        suite,
        max(repetition) AS last_repetition
    FROM rows
    WHERE job_id = $candidate OR list_contains($baselines::VARCHAR[], job_id)
    GROUP BY suite
),

failure AS (
    SELECT
        suite,
        count(DISTINCT row_key) FILTER (WHERE job_id <> $candidate) AS baseline_failed,
        count(DISTINCT row_key) FILTER (WHERE job_id = $candidate) AS candidate_failed,
        count(DISTINCT row_key) AS either_failed,
        count(*) FILTER (WHERE job_id <> $candidate) AS baseline_errors,
        count(*) FILTER (WHERE job_id = $candidate) AS candidate_errors
    FROM rows
    WHERE (job_id = $candidate OR list_contains($baselines::VARCHAR[], job_id)) AND error IS NOT NULL
    GROUP BY suite
),

score_shape AS (
    SELECT max(score_index) AS last_index
    FROM row_scores
    WHERE job_id = $candidate OR list_contains($baselines::VARCHAR[], job_id)
)

SELECT
    row_shape.suite,
    len($baselines::VARCHAR[]) = 1
    AND row_shape.last_repetition = 0
    AND failure.suite IS NULL
    AND coalesce(score_shape.last_index, 0) = 0 AS is_plain,
    coalesce(failure.baseline_failed, 0) AS baseline_failed,
    coalesce(failure.candidate_failed, 0) AS candidate_failed,
    coalesce(failure.either_failed, 0) AS either_failed,
    coalesce(failure.baseline_errors, 0) AS baseline_errors,
    coalesce(failure.candidate_errors, 0) AS candidate_errors
FROM row_shape
CROSS JOIN score_shape
LEFT JOIN failure ON row_shape.suite = failure.suite
WHERE ($suite::VARCHAR IS NULL OR row_shape.suite = $suite)
ORDER BY row_shape.suite;
