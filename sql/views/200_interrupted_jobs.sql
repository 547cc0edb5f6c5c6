-- Jobs whose writer is gone without having finished them. Only a session can tell the living from the dead: it puts
-- what it finds under staging/ into a variable. In plain DuckDB the view is empty.
CREATE OR REPLACE VIEW interrupted_jobs AS
SELECT unnest(
    getvariable('interrupted_jobs')::STRUCT(
        workspace VARCHAR, job VARCHAR, job_id VARCHAR, dataset VARCHAR, model VARCHAR,
        started_at TIMESTAMPTZ, rows_logged BIGINT, host VARCHAR, pid BIGINT
    )[],
    max_depth := 2
);
COMMENT ON VIEW interrupted_jobs IS
'Jobs whose writer died before finishing them, with the rows that are safe in their journals. Empty outside an evalstore session.';
