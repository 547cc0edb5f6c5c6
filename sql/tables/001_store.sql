-- The stored truth of the catalog: what the job documents say, one line per thing. Views stand on these tables only.
CREATE TABLE schema_version (
    version INTEGER NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL DEFAULT current_timestamp
);

-- One line: where this snapshot belongs and which views it carries.
CREATE TABLE store_info (
    root VARCHAR NOT NULL,
    paths VARCHAR[] NOT NULL,  -- how the root has been named: itself, and through symbolic links
    views_fingerprint VARCHAR NOT NULL,
    published_at TIMESTAMPTZ NOT NULL DEFAULT current_timestamp
);

CREATE TABLE job (
    job_id VARCHAR NOT NULL,
    workspace VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    metric_ref VARCHAR,
    dataset VARCHAR,
    model VARCHAR,
    "group" VARCHAR,
    suites STRUCT(
        name VARCHAR,
        events_processed BIGINT,
        overall_score DOUBLE,
        pass_rate DOUBLE,
        metrics_unscaled BIGINT,
        rows_digest VARCHAR,
        tags VARCHAR[],
        duration DOUBLE,
        status VARCHAR,
        error VARCHAR,
        metrics STRUCT(
            metric VARCHAR,
            name VARCHAR,
            score DOUBLE,
            passed BIGINT,
            total BIGINT,
            evaluated BIGINT,
            rows_scored BIGINT,
            rows_unscored BIGINT,
            rows_error BIGINT,
            is_scaled BOOLEAN
        )[]
    )[],
    metrics STRUCT(
        metric VARCHAR,
        name VARCHAR,
        score_type VARCHAR,
        minimum DOUBLE,
        maximum DOUBLE,
        rubric STRUCT(label VARCHAR, value DOUBLE, description VARCHAR)[],
        higher_is_better BOOLEAN,
        threshold DOUBLE,
        "class" VARCHAR
    )[],
    labels MAP(VARCHAR, VARCHAR),
    tags VARCHAR[],
    config VARCHAR,
    metadata VARCHAR,
    error STRUCT("type" VARCHAR, message VARCHAR, details VARCHAR),
    total_events BIGINT,
    total_suites BIGINT,
    total_metrics BIGINT,
    total_passed BIGINT,
    total_evaluated BIGINT,
    pass_rate DOUBLE,
    overall_score DOUBLE,
    metrics_unscaled BIGINT,
    rows_total BIGINT,
    rows_scored BIGINT,
    rows_unscored BIGINT,
    rows_error BIGINT,
    prompt_tokens BIGINT,
    completion_tokens BIGINT,
    total_tokens BIGINT,
    cost DOUBLE,
    latency_mean DOUBLE,
    latency_p50 DOUBLE,
    latency_p95 DOUBLE,
    created_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    duration DOUBLE,
    git_commit VARCHAR,
    git_branch VARCHAR,
    git_dirty BOOLEAN,
    source STRUCT(tool VARCHAR, path VARCHAR, content_hash VARCHAR),
    replaced_characters BIGINT
);

-- Lean on purpose: every publication writes the whole catalog. The view aggregate_scores gives the full shape.
CREATE TABLE aggregate_score (
    job_id VARCHAR NOT NULL,
    suite VARCHAR NOT NULL,
    metric VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    score_type VARCHAR NOT NULL,
    "count" BIGINT NOT NULL,
    nan_count BIGINT NOT NULL,
    inf_count BIGINT NOT NULL,
    out_of_range BIGINT NOT NULL,
    "sum" DOUBLE,
    mean DOUBLE,
    minimum DOUBLE,
    maximum DOUBLE,
    variance DOUBLE,
    std_dev DOUBLE,
    sample_variance DOUBLE,
    sample_std_dev DOUBLE,
    std_error DOUBLE,
    median DOUBLE,
    percentiles DOUBLE[],
    histogram UINTEGER[],
    rubric_distribution STRUCT(label VARCHAR, value DOUBLE, description VARCHAR, "count" BIGINT)[],
    mode_category VARCHAR,
    passed BIGINT,
    evaluated BIGINT,
    rows_scored BIGINT NOT NULL,
    rows_unscored BIGINT NOT NULL,
    rows_error BIGINT NOT NULL,
    rows_total BIGINT NOT NULL,
    items_scored BIGINT NOT NULL,
    clusters BIGINT
);

-- Paths are relative to the root of the store, so that a store can be moved.
CREATE TABLE score_file (
    job_id VARCHAR NOT NULL,
    scores VARCHAR NOT NULL,
    rows VARCHAR NOT NULL,
    scores_count BIGINT NOT NULL,
    rows_count BIGINT NOT NULL,
    scores_bytes BIGINT NOT NULL,
    rows_bytes BIGINT NOT NULL,
    scores_sha256 VARCHAR NOT NULL,
    rows_sha256 VARCHAR NOT NULL
);

-- What meta/metrics.jsonl declares: the last declaration of each metric; a null name speaks for all its names.
CREATE TABLE metric (
    workspace VARCHAR NOT NULL,
    metric VARCHAR NOT NULL,
    name VARCHAR,
    score_type VARCHAR,
    minimum DOUBLE,
    maximum DOUBLE,
    rubric STRUCT(label VARCHAR, value DOUBLE, description VARCHAR)[],
    higher_is_better BOOLEAN,
    threshold DOUBLE,
    "class" VARCHAR,
    declared_at TIMESTAMPTZ
);
