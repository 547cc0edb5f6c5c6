-- Every score of every published job.
-- A session names the files; plain DuckDB reads all of them, and is stopped when the store has been moved or copied.
CREATE OR REPLACE VIEW row_scores AS
SELECT
    live_job.workspace,
    live_job.job,
    score.*
FROM read_parquet(  -- noqa: PRS
    coalesce(getvariable('score_files'), ['@ROOT_GLOB@/jobs/_/schema/scores-empty.parquet', '@ROOT_GLOB@/jobs/*/*/scores-*.parquet']),
    hive_partitioning = FALSE,
    schema = MAP {
        1: {'name': 'job_id', 'type': 'VARCHAR', 'default_value': NULL},
        2: {'name': 'suite', 'type': 'VARCHAR', 'default_value': NULL},
        3: {'name': 'metric', 'type': 'VARCHAR', 'default_value': NULL},
        4: {'name': 'name', 'type': 'VARCHAR', 'default_value': NULL},
        5: {'name': 'score_index', 'type': 'INTEGER', 'default_value': NULL},
        6: {'name': 'row_key', 'type': 'VARCHAR', 'default_value': NULL},
        7: {'name': 'repetition', 'type': 'INTEGER', 'default_value': NULL},
        8: {'name': 'row_index', 'type': 'BIGINT', 'default_value': NULL},
        9: {'name': 'value', 'type': 'DOUBLE', 'default_value': NULL},
        10: {'name': 'value_type', 'type': 'VARCHAR', 'default_value': NULL},
        11: {'name': 'label', 'type': 'VARCHAR', 'default_value': NULL},
        12: {'name': 'passed', 'type': 'BOOLEAN', 'default_value': NULL},
        13: {'name': 'status', 'type': 'VARCHAR', 'default_value': NULL},
        14: {'name': 'comment', 'type': 'VARCHAR', 'default_value': NULL},
        15: {'name': 'error', 'type': 'VARCHAR', 'default_value': NULL},
        16: {'name': 'correction', 'type': 'VARCHAR', 'default_value': NULL},
        17: {'name': 'metadata', 'type': 'VARCHAR', 'default_value': NULL},
        18: {'name': 'evaluator_info', 'type': 'VARCHAR', 'default_value': NULL},
        19: {'name': 'feedback_config', 'type': 'VARCHAR', 'default_value': NULL},
        20: {'name': 'extra', 'type': 'VARCHAR', 'default_value': NULL},
        21: {'name': 'source_run_id', 'type': 'VARCHAR', 'default_value': NULL},
        22: {'name': 'target_run_id', 'type': 'VARCHAR', 'default_value': NULL}
    }
) AS score
INNER JOIN live_job ON score.job_id = live_job.job_id
WHERE getvariable('score_files') IS NOT NULL OR (SELECT is_at_home FROM catalog_place);
COMMENT ON VIEW row_scores IS 'One line per score: the long form of everything that was measured. status = scored exactly when the score takes part in a mean or distribution.';
