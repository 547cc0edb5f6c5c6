-- The jobs whose scores and rows are asked for: a session may name some, by their ids. By way of one list, so that
-- DuckDB expects few of them: of Parquet files with an explicit schema it expects next to nothing, and would look up
-- millions of scores, one for each job, instead of a job for each score.
CREATE OR REPLACE VIEW live_job AS
SELECT unnest(listed, max_depth := 2)
FROM (
    SELECT list({'job_id': job_id, 'workspace': workspace, 'job': name}) AS listed
    FROM job
    WHERE getvariable('job_ids') IS NULL OR list_contains(getvariable('job_ids')::VARCHAR[], job_id)
) AS lists;
COMMENT ON VIEW live_job IS 'The jobs whose scores and rows the views of files show.';
