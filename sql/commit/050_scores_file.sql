-- scores-<job_id>.parquet: one line per score, with the declarations applied.
COPY (
    WITH numbered_score AS (
        SELECT
            numbered.suite,
            numbered.row_key,
            numbered.repetition,
            numbered.row_index,
            score.* REPLACE (coalesce(score.name, score.metric) AS name)
        FROM logged_score AS score
        INNER JOIN numbered_row AS numbered
            ON score.job_id = numbered.job_id AND score.position = numbered.position
    ),

    rule AS (
        SELECT DISTINCT ON (score.job_id, score.metric, score.name)
            score.job_id,
            score.metric,
            score.name,
            declared.rubric,
            declared.threshold,
            coalesce(declared.higher_is_better, TRUE) AS higher_is_better
        FROM (SELECT DISTINCT job_id, metric, name FROM numbered_score) AS score
        INNER JOIN declared_metric AS declared
            ON
                score.job_id = declared.job_id
                AND score.metric = declared.metric
                AND (declared.name IS NULL OR score.name = declared.name)
        ORDER BY score.job_id, score.metric, score.name, declared.name NULLS LAST
    ),

    judged AS (
        SELECT
            score.*,
            rule.rubric,
            rubric_step(rule.rubric, score.label, score.value) AS step,
            rule.threshold,
            rule.higher_is_better
        FROM numbered_score AS score
        LEFT JOIN rule
            ON score.job_id = rule.job_id AND score.metric = rule.metric AND score.name = rule.name
    ),

    valued AS (
        SELECT * REPLACE (coalesce("value", step.value) AS "value", coalesce(label, step.label) AS label)
        FROM judged
    )

    SELECT
        job_id,
        suite,
        metric,
        name,
        score_index,
        row_key,
        repetition,
        row_index,
        value,
        value_type,
        label,
        judged_passed(passed, value_type, "value", threshold, higher_is_better) AS passed,
        judged_status(error, status, "value", label, rubric, step) AS status,
        comment,
        error,
        correction,
        metadata,
        evaluator_info,
        feedback_config,
        extra,
        source_run_id,
        target_run_id
    FROM valued
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
