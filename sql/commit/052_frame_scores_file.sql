-- scores-<job_id>.parquet of a frame in which no key comes twice: its lines are in order as they are.
COPY (
    WITH ruled AS (
        SELECT
            *,
            getvariable('frame_metrics')["number"] AS metric,
            getvariable('frame_rules')["number"] AS rule
        FROM frame_score
    ),

    judged AS (
        SELECT
            *,
            rubric_step(rule.rubric, label, "value") AS step
        FROM ruled
    ),

    valued AS (
        SELECT * REPLACE (coalesce("value", step.value) AS "value", coalesce(label, step.label) AS label)
        FROM judged
    )

    SELECT
        getvariable('job_id')::job_word AS job_id,
        getvariable('frame_suite')::suite_word AS suite,
        metric,
        metric AS name,
        0::INTEGER AS score_index,
        row_key,
        0::INTEGER AS repetition,
        position AS row_index,
        "value",
        value_type::value_word AS value_type,
        label,
        judged_passed(NULL, value_type, "value", rule.threshold, rule.higher_is_better) AS passed,
        judged_status(NULL, NULL, "value", label, rule.rubric, step)::status_word AS status,
        NULL::VARCHAR AS comment,
        NULL::VARCHAR AS error,
        NULL::VARCHAR AS correction,
        NULL::VARCHAR AS metadata,
        NULL::VARCHAR AS evaluator_info,
        NULL::VARCHAR AS feedback_config,
        NULL::VARCHAR AS extra,
        NULL::VARCHAR AS source_run_id,
        NULL::VARCHAR AS target_run_id
    FROM valued
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
