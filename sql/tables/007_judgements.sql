-- What meta/baselines.jsonl and meta/verdicts.jsonl say: every version of every baseline (without a job: taken away),
-- and what gates said of jobs.
CREATE TABLE baseline (
    workspace VARCHAR NOT NULL,
    baseline VARCHAR NOT NULL,
    version BIGINT NOT NULL,
    job_id VARCHAR,
    job VARCHAR,
    git_commit VARCHAR,
    note VARCHAR,
    set_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE gate_verdict (
    verdict_id VARCHAR NOT NULL,
    workspace VARCHAR NOT NULL,
    job_id VARCHAR NOT NULL,
    job VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    message VARCHAR,
    baseline VARCHAR,
    baseline_jobs VARCHAR[],
    confidence DOUBLE,
    rules STRUCT(
        rule VARCHAR,
        suite VARCHAR,
        metric VARCHAR,
        name VARCHAR,
        "class" VARCHAR,
        outcome VARCHAR,
        message VARCHAR,
        "value" DOUBLE,
        bound DOUBLE,
        difference DOUBLE,
        low DOUBLE,
        high DOUBLE,
        p_adjusted DOUBLE,
        rows_needed BIGINT
    )[],
    policy VARCHAR,
    git_commit VARCHAR,
    judged_at TIMESTAMPTZ NOT NULL
);
