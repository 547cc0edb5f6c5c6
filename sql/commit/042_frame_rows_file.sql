-- rows-<job_id>.parquet of a frame in which no key comes twice: its lines are in order as they are.
COPY (
    SELECT
        getvariable('job_id')::job_word AS job_id,
        getvariable('frame_suite')::suite_word AS suite,
        row_key,
        0::INTEGER AS repetition,
        position AS row_index,
        row_hash,
        item,
        sample,
        reference,
        NULL::VARCHAR AS requests,
        metadata,
        error,
        NULL::VARCHAR AS error_details,
        NULL::TIMESTAMPTZ AS started_at,
        NULL::TIMESTAMPTZ AS finished_at,
        latency,
        prompt_tokens,
        completion_tokens,
        all_tokens(total_tokens, prompt_tokens, completion_tokens) AS total_tokens,
        cost,
        NULL::VARCHAR[] AS tags,
        "cluster"
    FROM frame
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
