-- The metric declarations that each job was committed with.
CREATE OR REPLACE VIEW declared_metric AS
SELECT
    job.job_id,
    declared.*
FROM job, (SELECT unnest(job.metrics, max_depth := 2)) AS declared;
COMMENT ON VIEW declared_metric IS 'The metric declarations that each job was committed with.';
