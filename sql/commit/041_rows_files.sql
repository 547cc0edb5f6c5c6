-- Those of many jobs at once: a file in a folder of its own for each.
COPY (
    SELECT
        *,
        job_id AS part
    FROM row_line
    ORDER BY job_id, suite, row_index, repetition
) TO $path (  -- noqa: PRS
    FORMAT parquet,
    COMPRESSION zstd,
    RETURN_STATS,
    PARTITION_BY (part),
    FIELD_IDS {
        job_id: 1, suite: 2, row_key: 3, repetition: 4, row_index: 5, row_hash: 6, item: 7, sample: 8, reference: 9,
        requests: 10, metadata: 11, error: 12, error_details: 13, started_at: 14, finished_at: 15, latency: 16,
        prompt_tokens: 17, completion_tokens: 18, total_tokens: 19, cost: 20, tags: 21, "cluster": 22
    }
);
