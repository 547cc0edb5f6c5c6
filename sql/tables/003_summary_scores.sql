-- What summary evaluators have said of a whole job. Null in jobs of releases that knew none.
ALTER TABLE job ADD COLUMN summary_scores STRUCT(
    metric VARCHAR,
    name VARCHAR,
    score_index INTEGER,
    "value" DOUBLE,
    value_type VARCHAR,
    label VARCHAR,
    passed BOOLEAN,
    status VARCHAR,
    comment VARCHAR,
    error VARCHAR,
    correction VARCHAR,
    metadata VARCHAR,
    evaluator_info VARCHAR,
    feedback_config VARCHAR,
    extra VARCHAR,
    source_run_id VARCHAR,
    target_run_id VARCHAR
)[];
