-- The rows of a job that did not pass, each with its verdict; those in error are apart: see the view `failures`.
SELECT
    score.suite,
    score.metric,
    score.row_key,
    score.repetition,
    r.item,
    r.sample,
    score.comment AS verdict,
    r.metadata
FROM row_scores AS score
INNER JOIN rows AS r
    ON
        score.job_id = r.job_id
        AND score.suite = r.suite
        AND score.row_key = r.row_key
        AND score.repetition = r.repetition
WHERE
    score.job_id = $job_id
    AND score.passed = FALSE
    AND score.status = 'scored'
    AND ($suite::VARCHAR IS NULL OR score.suite = $suite)
    AND ($metric::VARCHAR IS NULL OR score.metric = $metric)
ORDER BY score.suite, score.metric, score.row_index, score.repetition, score.score_index
LIMIT $limit;
