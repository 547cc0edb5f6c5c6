-- Everything that went wrong, one line each: jobs that ended in error, suites that were told to have failed, rows in
-- error, scores in error.
CREATE OR REPLACE VIEW failures AS
SELECT
    'job' AS level,
    workspace,
    name AS job,
    job_id,
    NULL::VARCHAR AS suite,
    NULL::VARCHAR AS metric,
    NULL::VARCHAR AS row_key,
    NULL::INTEGER AS repetition,
    coalesce(error."type" || ': ' || error.message, status) AS error,
    created_at
FROM job
WHERE status IN ('error', 'interrupted', 'cancelled')
UNION ALL BY NAME
SELECT
    'suite' AS level,
    workspace,
    job,
    job_id,
    suite,
    NULL::VARCHAR AS metric,
    NULL::VARCHAR AS row_key,
    NULL::INTEGER AS repetition,
    coalesce(error, status) AS error,
    created_at
FROM suites
WHERE status = 'failed'
UNION ALL BY NAME
SELECT
    'row' AS level,
    r.workspace,
    r.job,
    r.job_id,
    r.suite,
    NULL::VARCHAR AS metric,
    r.row_key,
    r.repetition,
    r.error,
    job.created_at
FROM rows AS r
INNER JOIN job ON r.job_id = job.job_id
WHERE r.error IS NOT NULL
UNION ALL BY NAME
SELECT
    'score' AS level,
    score.workspace,
    score.job,
    score.job_id,
    score.suite,
    score.metric,
    score.row_key,
    score.repetition,
    score.error,
    job.created_at
FROM row_scores AS score
INNER JOIN job ON score.job_id = job.job_id
WHERE score.status = 'error';
COMMENT ON VIEW failures IS 'Everything that went wrong: level (job, suite, row, score), where, and the error.';
