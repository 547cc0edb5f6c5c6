-- What was measured: one line per (job, suite, metric, name), with the declaration that was in force at commit.
CREATE OR REPLACE VIEW measure AS
WITH seen AS (
    SELECT
        job_id,
        suite,
        metric,
        name,
        min(value) FILTER (WHERE status = 'scored') AS lowest,
        max(value) FILTER (WHERE status = 'scored') AS highest,
        coalesce(bool_and(value_type = 'bool') FILTER (WHERE status = 'scored'), FALSE) AS is_boolean,
        coalesce(bool_and(label IS NOT NULL) FILTER (WHERE status = 'scored'), FALSE) AS is_labelled,
        coalesce(bool_or(passed IS NOT NULL), FALSE) AS is_judged
    FROM row_scores
    GROUP BY job_id, suite, metric, name
)

SELECT DISTINCT ON (seen.job_id, seen.suite, seen.metric, seen.name)
    seen.*,
    declared.minimum,
    declared.maximum,
    declared.rubric,
    declared.threshold,
    coalesce(declared.higher_is_better, TRUE) AS higher_is_better,
    CASE
        WHEN declared.score_type IS NOT NULL THEN declared.score_type
        WHEN declared.rubric IS NOT NULL OR seen.is_labelled THEN 'rubric'
        ELSE 'range'
    END AS score_type
FROM seen
LEFT JOIN declared_metric AS declared
    ON
        seen.job_id = declared.job_id
        AND seen.metric = declared.metric
        AND (declared.name IS NULL OR seen.name = declared.name)
ORDER BY seen.job_id, seen.suite, seen.metric, seen.name, declared.name NULLS LAST;
COMMENT ON VIEW measure IS 'What was measured: one line per (job, suite, metric, name) with its declaration.';
