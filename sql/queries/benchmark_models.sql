-- What the models of a benchmark scored and cost, by the latest completed job of each, and which are best.
WITH told AS (
    SELECT
        job_id,
        count(cost) AS rows_with_cost,
        count(total_tokens) AS rows_with_tokens,
        count(*) AS rows_told
    FROM rows
    GROUP BY job_id
),

-- Of some rows only they are no total. None tells anything where another tool has told of the whole job.
latest AS (
    SELECT
        job.* REPLACE (
            CASE WHEN coalesce(told.rows_with_cost IN (0, told.rows_told), TRUE) THEN job.cost END AS cost,
            CASE WHEN coalesce(told.rows_with_tokens IN (0, told.rows_told), TRUE) THEN job.total_tokens END
                AS total_tokens
        ),
        told.rows_with_cost,
        told.rows_with_tokens,
        told.rows_told,
        worst_metric(job.suites) AS worst,
        coalesce(scaled_metrics(job.suites), []) AS metric_set,
        list_transform(job.suites, lambda s: {
            'suite': s.name, 'rows': coalesce(s.rows_digest, s.events_processed::VARCHAR)
        }) AS row_set
    FROM benchmarked_jobs($workspace::VARCHAR, $group::VARCHAR, $job_ids::VARCHAR[], $dataset::VARCHAR) AS job
    LEFT JOIN told ON job.job_id = told.job_id
),

measured AS (
    SELECT
        *,
        greatest(rows_error / nullif(rows_total, 0), worst.share) AS error_rate,
        cost / nullif(total_passed, 0) AS cost_per_passed,
        1000 * cost / nullif(total_tokens, 0) AS cost_per_1k_tokens,
        count(*) OVER (PARTITION BY row_set) AS models_on_these_rows,
        max(created_at) OVER (PARTITION BY row_set) AS newest_on_these_rows
    FROM latest
),

compared AS (
    SELECT
        *,
        row_set = first_value(row_set) OVER (
            ORDER BY models_on_these_rows DESC, newest_on_these_rows DESC, row_set ASC
        ) AS comparable
    FROM measured
),

sound AS (
    SELECT
        *,
        comparable AND coalesce(error_rate, 0) <= $max_error_rate::DOUBLE AS is_sound,
        count(*) FILTER (WHERE comparable AND coalesce(error_rate, 0) <= $max_error_rate::DOUBLE)
            OVER (PARTITION BY metric_set)
            AS models_in_these_metrics
    FROM compared
),

scored_alike AS (
    SELECT
        *,
        metric_set = first_value(metric_set) OVER (
            ORDER BY is_sound DESC, models_in_these_metrics DESC, len(metric_set) DESC, metric_set ASC
        ) AS same_metrics
    FROM sound
),

judged AS (
    SELECT
        *,
        is_sound AND same_metrics AS is_eligible
    FROM scored_alike
),

best AS (
    SELECT
        first(job_id ORDER BY overall_score DESC, cost ASC NULLS LAST, "who" ASC)
        FILTER (WHERE is_eligible AND overall_score IS NOT NULL) AS overall_id,
        first(job_id ORDER BY cost_per_passed ASC, overall_score DESC NULLS LAST, "who" ASC)
        FILTER (WHERE is_eligible AND cost_per_passed IS NOT NULL) AS value_id,
        first(cost ORDER BY overall_score DESC, cost ASC NULLS LAST, "who" ASC)
        FILTER (WHERE is_eligible AND overall_score IS NOT NULL) AS overall_cost
    FROM judged
)

SELECT
    judged."who" AS model, judged.dataset, judged.name AS job, judged.job_id, judged.created_at, judged.jobs,
    judged.total_passed AS passed, judged.total_evaluated AS evaluated, judged.pass_rate, judged.overall_score,
    judged.rows_error, judged.total_events AS rows_total, judged.error_rate, judged.cost, judged.cost_per_passed,
    judged.cost_per_1k_tokens, 1 - judged.cost / nullif(best.overall_cost, 0) AS cost_savings,
    judged.prompt_tokens, judged.completion_tokens, judged.total_tokens, judged.latency_mean, judged.latency_p50,
    judged.latency_p95, judged.comparable, judged.same_metrics, judged.worst AS worst_metric, judged.metric_set,
    judged.rows_with_cost, judged.rows_with_tokens, judged.rows_told,
    coalesce(judged.job_id = best.overall_id, FALSE) AS is_best_overall,
    coalesce(judged.job_id = best.value_id, FALSE) AS is_best_value
FROM judged, best
ORDER BY judged.comparable DESC, judged.overall_score DESC NULLS LAST, judged.cost ASC NULLS LAST, judged."who" ASC;
