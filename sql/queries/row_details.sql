-- Every row of a job under every metric of its suite, with the score that it has there, if any.
WITH measured AS (
    SELECT DISTINCT
        suite,
        metric,
        name
    FROM row_scores
    WHERE job_id = $job_id
)

SELECT
    measured.suite,
    measured.metric,
    measured.name,
    r.row_key,
    r.repetition,
    r.item,
    r.sample,
    r.reference,
    r.metadata,
    r."cluster",
    score.value,
    score.value_type,
    score.label,
    score.passed,
    coalesce(score.status, 'unscored') AS status,
    score.comment,
    score.error,
    r.error AS row_error
FROM rows AS r
INNER JOIN measured ON r.suite = measured.suite
LEFT JOIN row_scores AS score
    ON
        r.job_id = score.job_id
        AND r.suite = score.suite
        AND r.row_key = score.row_key
        AND r.repetition = score.repetition
        AND measured.metric = score.metric
        AND measured.name = score.name
WHERE r.job_id = $job_id
ORDER BY measured.suite, measured.metric, measured.name, r.row_index, r.repetition, score.score_index;
