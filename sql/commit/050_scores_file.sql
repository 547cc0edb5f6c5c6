-- scores-<job_id>.parquet: one line per score, with the declarations applied.
COPY (
    SELECT * FROM score_line
    ORDER BY suite, metric, name, row_index, repetition, score_index
) TO $path (  -- noqa: PRS
    FORMAT parquet,
    COMPRESSION zstd,
    RETURN_STATS,
    FIELD_IDS {
        job_id: 1, suite: 2, metric: 3, name: 4, score_index: 5, row_key: 6, repetition: 7, row_index: 8, value: 9,
        value_type: 10, label: 11, passed: 12, status: 13, comment: 14, error: 15, correction: 16, metadata: 17,
        evaluator_info: 18, feedback_config: 19, extra: 20, source_run_id: 21, target_run_id: 22
    }
);
