-- Which rows of one job failed: by suite, and by metric those of them that have a score nevertheless.
-- The lines of suites have neither metric nor name.
WITH failed_row AS (
    SELECT
        suite,
        row_key,
        repetition
    FROM rows
    WHERE job_id = $job_id AND error IS NOT NULL
)

SELECT
    suite,
    NULL::VARCHAR AS metric,
    NULL::VARCHAR AS name,
    count(*) AS rows_failed
FROM failed_row
GROUP BY suite
UNION ALL
SELECT
    score.suite,
    score.metric,
    score.name,
    count(DISTINCT {'key': score.row_key, 'repetition': score.repetition}) AS rows_failed
FROM row_scores AS score
SEMI JOIN failed_row
    ON
        score.suite = failed_row.suite
        AND score.row_key = failed_row.row_key
        AND score.repetition = failed_row.repetition
WHERE score.job_id = $job_id AND score.status = 'scored'
GROUP BY score.suite, score.metric, score.name
ORDER BY suite ASC, metric ASC, name ASC;
