-- rows-<job_id>.parquet: one line per row.
COPY (
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
        ON logged.job_id = numbered.job_id AND logged.position = numbered.position
    ORDER BY logged.suite, numbered.row_index, numbered.repetition
) TO $path (  -- noqa: PRS
    FORMAT parquet,
    COMPRESSION zstd,
    RETURN_STATS,
    FIELD_IDS {
        job_id: 1, suite: 2, row_key: 3, repetition: 4, row_index: 5, row_hash: 6, item: 7, sample: 8, reference: 9,
        requests: 10, metadata: 11, error: 12, error_details: 13, started_at: 14, finished_at: 15, latency: 16,
        prompt_tokens: 17, completion_tokens: 18, total_tokens: 19, cost: 20, tags: 21, "cluster": 22
    }
);
