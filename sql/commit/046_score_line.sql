-- The lines of the files of scores, of the jobs whose rows are logged, with the declarations applied.
CREATE OR REPLACE TEMP VIEW score_line AS
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
FROM valued;
