-- The suites of every job, out of the nested column job.suites.
CREATE OR REPLACE VIEW suites AS
SELECT
    job.workspace,
    job.name AS job,
    job.job_id,
    job.status AS job_status,
    job.dataset,
    job.model,
    job."group",
    job.created_at,
    suite.name AS suite,
    suite.events_processed,
    suite.overall_score,
    suite.pass_rate,
    suite.metrics_unscaled,
    suite.rows_digest,
    suite.tags,
    suite.duration,
    suite.status,
    suite.error,
    suite.metrics
FROM job, unnest(job.suites) AS unnested (suite);
COMMENT ON VIEW suites IS 'One line per job and suite: UNNEST of job.suites. overall_score is the mean of its scaled metrics.';
