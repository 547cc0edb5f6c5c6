-- The Parquet files of jobs, relative to the root; all jobs when none are named.
SELECT
    list(scores ORDER BY job_id) AS score_files,
    list("rows" ORDER BY job_id) AS row_files
FROM score_file
WHERE $job_ids::VARCHAR[] IS NULL OR list_contains($job_ids::VARCHAR[], job_id);
