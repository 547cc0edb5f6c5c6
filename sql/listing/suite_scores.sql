-- The scores of the metrics of all suites, as `suites.<suite>.<metric>.score` names them.
SELECT
    job.job_number,
    suite.name AS suite,
    measured.metric,
    measured.name,
    measured.metric || ':' || measured.name AS full_name,
    measured.score
FROM job, unnest(job.suites) AS of_job (suite), unnest(suite.metrics) AS of_suite (measured);
