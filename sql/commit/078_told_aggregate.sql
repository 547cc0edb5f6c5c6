-- The aggregates of the jobs being committed, those that are told in the place of what too few rows would say. Of so
-- many values that are 1 or 0 everything but the order is known: mean p = passed / total, variance p (1 - p).
CREATE OR REPLACE TEMP TABLE staged_aggregate AS
WITH told AS (
    SELECT
        suite.job_id,
        suite.suite,
        metric.metric,
        metric.name,
        metric.passed,
        metric.total,
        coalesce(metric.errors, 0) AS errors,
        greatest(suite.events_processed, coalesce(metric.total, 0) + coalesce(metric.errors, 0)) AS rows_total,
        coalesce(metric.passed / nullif(metric.total, 0), metric.mean) AS mean
    FROM told_suite AS suite, unnest(suite.metrics) AS unnested (metric)
),

told_line AS (
    SELECT
        job_id,
        suite,
        metric,
        name,
        'range' AS score_type,
        coalesce(total, 0) AS "count",
        0 AS nan_count,
        0 AS inf_count,
        0 AS out_of_range,
        passed::DOUBLE AS "sum",
        mean,
        CASE WHEN total > 0 THEN (passed = total)::INTEGER::DOUBLE END AS minimum,
        CASE WHEN total > 0 THEN (passed > 0)::INTEGER::DOUBLE END AS maximum,
        CASE WHEN total > 0 THEN mean * (1 - mean) END AS variance,
        CASE WHEN total > 0 THEN sqrt(mean * (1 - mean)) END AS std_dev,
        CASE WHEN total > 1 THEN mean * (1 - mean) * total / (total - 1) END AS sample_variance,
        CASE WHEN total > 1 THEN sqrt(mean * (1 - mean) * total / (total - 1)) END AS sample_std_dev,
        CASE WHEN total > 1 THEN sqrt(mean * (1 - mean) / (total - 1)) END AS std_error,
        CASE
            WHEN total = 0 THEN NULL
            WHEN passed = total - passed THEN 0.5
            ELSE (passed > total - passed)::INTEGER::DOUBLE
        END AS median,
        passed,
        nullif(total, 0) AS evaluated,
        coalesce(total, 0) AS rows_scored,
        coalesce(rows_total, 0) - coalesce(total, 0) - errors AS rows_unscored,
        errors AS rows_error,
        coalesce(rows_total, 0) AS rows_total,
        coalesce(total, 0) AS items_scored,
        TRUE AS is_told
    FROM told
)

SELECT computed.*
FROM staged_aggregate AS computed
ANTI JOIN told_line AS told
    ON
        computed.job_id = told.job_id
        AND computed.suite = told.suite
        AND computed.metric = told.metric
        AND computed.name = told.name
UNION ALL BY NAME
SELECT * FROM told_line;
