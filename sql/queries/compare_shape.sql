-- Whether the scores of two sides are plain, and how many rows failed, by suite.
-- Plain is: no row is repeated or failed, no metric scores a row twice, and the baseline is one job.
WITH row_shape AS (
    SELECT
        suite,
        max(repetition) AS last_repetition,
        count(DISTINCT row_key) FILTER (WHERE error IS NOT NULL AND job_id <> $candidate) AS baseline_failed,
        count(DISTINCT row_key) FILTER (WHERE error IS NOT NULL AND job_id = $candidate) AS candidate_failed,
        count(DISTINCT row_key) FILTER (WHERE error IS NOT NULL) AS either_failed
    FROM rows
    WHERE job_id = $candidate OR list_contains($baselines::VARCHAR[], job_id)
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
    AND row_shape.either_failed = 0
    AND coalesce(score_shape.last_index, 0) = 0 AS is_plain,
    row_shape.baseline_failed,
    row_shape.candidate_failed,
    row_shape.either_failed
FROM row_shape, score_shape
WHERE ($suite::VARCHAR IS NULL OR row_shape.suite = $suite)
ORDER BY row_shape.suite;
