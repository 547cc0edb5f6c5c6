-- The totals of the jobs being committed. Of cost and tokens there is none where a row does not tell its own, unless
-- it failed: a sum over some rows only is no total.
CREATE OR REPLACE TEMP TABLE job_total AS
WITH row_total AS (
    SELECT
        job_id,
        count(*) AS rows_total,
        CASE
            WHEN bool_and(prompt_tokens IS NOT NULL OR error IS NOT NULL) THEN try_cast(sum(prompt_tokens) AS BIGINT)
        END AS prompt_tokens,
        CASE
            WHEN bool_and(completion_tokens IS NOT NULL OR error IS NOT NULL)
                THEN try_cast(sum(completion_tokens) AS BIGINT)
        END AS completion_tokens,
        CASE
            WHEN bool_and(total_tokens IS NOT NULL OR error IS NOT NULL) THEN try_cast(sum(total_tokens) AS BIGINT)
        END AS total_tokens,
        CASE WHEN bool_and(cost IS NOT NULL OR error IS NOT NULL) THEN finite(fsum(cost)) END AS cost,
        finite(favg(latency)) AS latency_mean,
        quantile_cont(latency, 0.5) AS latency_p50,
        quantile_cont(latency, 0.95) AS latency_p95
    FROM rows
    GROUP BY job_id
),

-- Where all rows are scored in one metric, the single scores say nothing more of the rows.
whole_suite AS (
    SELECT DISTINCT
        job_id,
        suite
    FROM staged_aggregate
    WHERE rows_scored = rows_total
),

single_row AS (
    SELECT r.*
    FROM rows AS r
    ANTI JOIN whole_suite AS whole ON r.job_id = whole.job_id AND r.suite = whole.suite
),

single_score AS (
    SELECT score.*
    FROM row_scores AS score
    ANTI JOIN whole_suite AS whole ON score.job_id = whole.job_id AND score.suite = whole.suite
),

row_state AS (
    SELECT
        r.job_id,
        r.suite,
        r.row_key,
        r.repetition,
        bool_or(coalesce(score.status = 'scored', FALSE)) AS is_scored,
        bool_or(r.error IS NOT NULL OR coalesce(score.status = 'error', FALSE)) AS is_error
    FROM single_row AS r
    LEFT JOIN single_score AS score
        ON
            r.job_id = score.job_id
            AND r.suite = score.suite
            AND r.row_key = score.row_key
            AND r.repetition = score.repetition
    GROUP BY r.job_id, r.suite, r.row_key, r.repetition
),

coverage AS (
    SELECT
        job_id,
        count(*) FILTER (WHERE NOT is_scored AND is_error) AS rows_error,
        count(*) FILTER (WHERE NOT is_scored AND NOT is_error) AS rows_unscored
    FROM row_state
    GROUP BY job_id
),

suite_total AS (
    SELECT
        suite_result.job_id,
        count(*) AS total_suites,
        sum(suite_result.events_processed)::BIGINT AS total_events,
        avg(suite_result.overall_score) AS overall_score,
        sum(suite_result.metrics_unscaled)::BIGINT AS metrics_unscaled,
        list(suite_result ORDER BY suite_result.name) AS suites
    FROM suite_result
    GROUP BY suite_result.job_id
),

pooled AS (
    SELECT
        job_id,
        count(DISTINCT metric || chr(31) || name) AS total_metrics,
        sum(passed)::BIGINT AS total_passed,
        sum(evaluated)::BIGINT AS total_evaluated
    FROM staged_aggregate
    GROUP BY job_id
)

SELECT
    suite_total.job_id,
    row_total.* EXCLUDE (job_id, rows_total),
    coalesce(row_total.rows_total, 0) AS rows_total,
    coalesce(row_total.rows_total, 0) - coalesce(coverage.rows_error, 0) - coalesce(coverage.rows_unscored, 0)
        AS rows_scored,
    coalesce(coverage.rows_error, 0) AS rows_error,
    coalesce(coverage.rows_unscored, 0) AS rows_unscored,
    suite_total.total_events,
    suite_total.total_suites,
    suite_total.overall_score,
    suite_total.metrics_unscaled,
    suite_total.suites,
    coalesce(pooled.total_metrics, 0) AS total_metrics,
    pooled.total_passed,
    pooled.total_evaluated,
    pooled.total_passed / pooled.total_evaluated AS pass_rate
FROM suite_total
LEFT JOIN row_total ON suite_total.job_id = row_total.job_id
LEFT JOIN coverage ON suite_total.job_id = coverage.job_id
LEFT JOIN pooled ON suite_total.job_id = pooled.job_id;
