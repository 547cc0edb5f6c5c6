-- The lines of the files of rows, of the jobs whose rows are logged.
CREATE OR REPLACE TEMP VIEW row_line AS
SELECT
    logged.job_id,
    logged.suite,
    logged.row_key,
    numbered.repetition,
    numbered.row_index,
    logged.row_hash,
    logged.item,
    logged.sample,
    logged.reference,
    logged.requests,
    logged.metadata,
    logged.error,
    logged.error_details,
    logged.started_at,
    logged.finished_at,
    logged.latency,
    logged.prompt_tokens,
    logged.completion_tokens,
    all_tokens(logged.total_tokens, logged.prompt_tokens, logged.completion_tokens) AS total_tokens,
    logged.cost,
    logged.tags,
    logged."cluster"
FROM logged_row AS logged
INNER JOIN numbered_row AS numbered
    ON logged.job_id = numbered.job_id AND logged.position = numbered.position;
