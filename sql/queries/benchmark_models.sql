-- What the models of a benchmark scored and cost, by the latest completed job of each, and which are best.
WITH latest AS (
    SELECT
        *,
        coalesce(model, name) AS "who",
        count(*) OVER of_model AS jobs,
        rows_error / nullif(rows_total, 0) AS error_rate,
        cost / nullif(total_passed, 0) AS cost_per_passed,
        1000 * cost / nullif(total_tokens, 0) AS cost_per_1k_tokens,
        list_transform(suites, lambda s: {
            'suite': s.name, 'rows': coalesce(s.rows_digest, s.events_processed::VARCHAR)
        }) AS row_set
    FROM jobs
    WHERE
        status = 'completed'
        AND ($workspace::VARCHAR IS NULL OR workspace = $workspace)
        AND ($group::VARCHAR IS NULL OR "group" = $group)
        AND ($job_ids::VARCHAR[] IS NULL OR list_contains($job_ids, job_id))
        AND ($dataset::VARCHAR IS NULL OR dataset = $dataset)
    WINDOW of_model AS (PARTITION BY dataset, coalesce(model, name))
    QUALIFY row_number() OVER (PARTITION BY dataset, coalesce(model, name) ORDER BY created_at DESC, job_id DESC) = 1
),

compared AS (
    SELECT
        *,
        row_set = first_value(row_set) OVER (
            ORDER BY models_on_these_rows DESC, newest_on_these_rows DESC, row_set ASC
        ) AS comparable
    FROM (
        SELECT
            *,
            count(*) OVER (PARTITION BY row_set) AS models_on_these_rows,
            max(created_at) OVER (PARTITION BY row_set) AS newest_on_these_rows
        FROM latest
    ) AS counted
),

judged AS (
    SELECT
        *,
        comparable AND coalesce(error_rate, 0) <= $max_error_rate::DOUBLE AS is_eligible
    FROM compared
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
    judged.latency_p95, judged.comparable,
    coalesce(judged.job_id = best.overall_id, FALSE) AS is_best_overall,
    coalesce(judged.job_id = best.value_id, FALSE) AS is_best_value
FROM judged, best
ORDER BY judged.comparable DESC, judged.overall_score DESC NULLS LAST, judged.cost ASC NULLS LAST, judged."who" ASC;
