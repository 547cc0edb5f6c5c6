-- The journal that many jobs share as one relation: each line says of which job it is. What else is in it was given up.
CREATE OR REPLACE VIEW logged_row AS
WITH job AS (
    SELECT unnest(getvariable('journal_jobs')) AS job_id
)

SELECT journal.*
FROM
    read_json(
        getvariable('journal'),
        format = 'newline_delimited',
        hive_partitioning = FALSE,
        maximum_object_size = getvariable('longest_line'),
        columns = {
            job_id: 'VARCHAR',
            position: 'BIGINT',
            suite: 'VARCHAR',
            row_key: 'VARCHAR',
            repetition: 'INTEGER',
            row_index: 'BIGINT',
            row_hash: 'VARCHAR',
            item: 'VARCHAR',
            sample: 'VARCHAR',
            reference: 'VARCHAR',
            requests: 'VARCHAR',
            metadata: 'VARCHAR',
            error: 'VARCHAR',
            error_details: 'VARCHAR',
            started_at: 'TIMESTAMPTZ',
            finished_at: 'TIMESTAMPTZ',
            latency: 'DOUBLE',
            prompt_tokens: 'BIGINT',
            completion_tokens: 'BIGINT',
            total_tokens: 'BIGINT',
            cost: 'DOUBLE',
            tags: 'VARCHAR[]',
            "cluster": 'VARCHAR',
            scores: 'STRUCT(
            metric VARCHAR, name VARCHAR, score_index INTEGER, value DOUBLE, value_type VARCHAR, label VARCHAR,
            passed BOOLEAN, status VARCHAR, comment VARCHAR, error VARCHAR, correction VARCHAR, metadata VARCHAR,
            evaluator_info VARCHAR, feedback_config VARCHAR, extra VARCHAR, source_run_id VARCHAR, target_run_id VARCHAR
        )[]'
        }
    ) AS journal
SEMI JOIN job ON journal.job_id = job.job_id;
