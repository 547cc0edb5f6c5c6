-- The metric declarations that each job was committed with.
CREATE OR REPLACE VIEW declared_metric AS
SELECT
    job_id,
    unnest(metrics, max_depth := 2)
FROM job;
COMMENT ON VIEW declared_metric IS 'The metric declarations that each job was committed with.';
