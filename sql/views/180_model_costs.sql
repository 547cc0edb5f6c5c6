-- What each model cost over its completed jobs on a dataset. Unknown cost or tokens stay null; latency is the mean
-- over the jobs, weighted by their rows; score and percentiles of latency, which cannot be averaged, are those of the
-- latest job.
CREATE OR REPLACE VIEW model_costs AS
SELECT
    workspace,
    dataset,
    model,
    count(*) AS jobs,
    sum(rows_total)::BIGINT AS rows_total,
    sum(rows_error)::BIGINT AS rows_error,
    sum(total_passed)::BIGINT AS passed,
    sum(total_evaluated)::BIGINT AS evaluated,
    sum(total_passed) / nullif(sum(total_evaluated), 0) AS pass_rate,
    sum(rows_error) / nullif(sum(rows_total), 0) AS error_rate,
    arg_max(overall_score, created_at) AS overall_score,
    try_cast(sum(prompt_tokens) AS BIGINT) AS prompt_tokens,
    try_cast(sum(completion_tokens) AS BIGINT) AS completion_tokens,
    try_cast(sum(total_tokens) AS BIGINT) AS total_tokens,
    sum(cost) AS cost,
    count(cost) AS jobs_with_cost,
    sum(cost) / nullif(sum(total_passed) FILTER (WHERE cost IS NOT NULL), 0) AS cost_per_passed,
    1000 * sum(cost) FILTER (WHERE total_tokens IS NOT NULL)
    / nullif(sum(total_tokens) FILTER (WHERE cost IS NOT NULL), 0) AS cost_per_1k_tokens,
    sum(latency_mean * rows_total) / nullif(sum(rows_total) FILTER (WHERE latency_mean IS NOT NULL), 0) AS latency_mean,
    arg_max(latency_p50, created_at) AS latency_p50,
    arg_max(latency_p95, created_at) AS latency_p95
FROM job
WHERE status = 'completed'
GROUP BY workspace, dataset, model;
COMMENT ON VIEW model_costs IS
'What each model cost over its completed jobs on a dataset: tokens, USD, USD per passed evaluation and per 1K tokens, latency; overall_score, latency_p50 and latency_p95 are those of the latest job that has them.';
