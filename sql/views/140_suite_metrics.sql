-- The metrics of every suite, out of the nested column job.suites[].metrics.
CREATE OR REPLACE VIEW suite_metrics AS
SELECT
    suites.workspace,
    suites.job,
    suites.job_id,
    suites.job_status,
    suites.dataset,
    suites.model,
    suites."group",
    suites.created_at,
    suites.suite,
    measured.metric,
    measured.name,
    measured.score,
    measured.passed,
    measured.total,
    measured.evaluated,
    measured.rows_scored,
    measured.rows_unscored,
    measured.rows_error,
    measured.is_scaled
FROM suites, unnest(suites.metrics) AS unnested (measured);
COMMENT ON VIEW suite_metrics IS
'One line per job, suite and metric: UNNEST of job.suites[].metrics, with passed of total, pass rate or mean as score.';
