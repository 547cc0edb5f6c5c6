-- Every row of every published job.
-- A session names the files; plain DuckDB reads all of them, and is stopped when the store has been moved or copied.
CREATE OR REPLACE VIEW rows AS
SELECT
    live_job.workspace,
    live_job.job,
    logged.*
FROM read_parquet(  -- noqa: PRS
    coalesce(getvariable('row_files'), ['@ROOT_GLOB@/jobs/_/schema/rows-empty.parquet', '@ROOT_GLOB@/jobs/*/*/rows-*.parquet']),
    hive_partitioning = FALSE,
    schema = MAP {
        1: {'name': 'job_id', 'type': 'VARCHAR', 'default_value': NULL},
        2: {'name': 'suite', 'type': 'VARCHAR', 'default_value': NULL},
        3: {'name': 'row_key', 'type': 'VARCHAR', 'default_value': NULL},
        4: {'name': 'repetition', 'type': 'INTEGER', 'default_value': NULL},
        5: {'name': 'row_index', 'type': 'BIGINT', 'default_value': NULL},
        6: {'name': 'row_hash', 'type': 'VARCHAR', 'default_value': NULL},
        7: {'name': 'item', 'type': 'VARCHAR', 'default_value': NULL},
        8: {'name': 'sample', 'type': 'VARCHAR', 'default_value': NULL},
        9: {'name': 'reference', 'type': 'VARCHAR', 'default_value': NULL},
        10: {'name': 'requests', 'type': 'VARCHAR', 'default_value': NULL},
        11: {'name': 'metadata', 'type': 'VARCHAR', 'default_value': NULL},
        12: {'name': 'error', 'type': 'VARCHAR', 'default_value': NULL},
        13: {'name': 'error_details', 'type': 'VARCHAR', 'default_value': NULL},
        14: {'name': 'started_at', 'type': 'TIMESTAMPTZ', 'default_value': NULL},
        15: {'name': 'finished_at', 'type': 'TIMESTAMPTZ', 'default_value': NULL},
        16: {'name': 'latency', 'type': 'DOUBLE', 'default_value': NULL},
        17: {'name': 'prompt_tokens', 'type': 'BIGINT', 'default_value': NULL},
        18: {'name': 'completion_tokens', 'type': 'BIGINT', 'default_value': NULL},
        19: {'name': 'total_tokens', 'type': 'BIGINT', 'default_value': NULL},
        20: {'name': 'cost', 'type': 'DOUBLE', 'default_value': NULL},
        21: {'name': 'tags', 'type': 'VARCHAR[]', 'default_value': NULL},
        22: {'name': 'cluster', 'type': 'VARCHAR', 'default_value': NULL}
    }
) AS logged
INNER JOIN live_job ON logged.job_id = live_job.job_id
WHERE getvariable('row_files') IS NOT NULL OR (SELECT is_at_home FROM catalog_place);
COMMENT ON VIEW rows IS 'One line per row: item, sample, reference, requests, metadata (JSON text), error, timings, tokens, cost.';
