-- What the files of a benchmark state of cost and choice, where these jobs were imported from such files.
SELECT
    coalesce(model, name) AS model,
    overall_score,
    cost,
    total_tokens,
    total_passed AS passed,
    try_cast(json_extract_string(metadata, '$.document.overall_score') AS DOUBLE) AS stated_overall_score,
    try_cast(json_extract_string(metadata, '$.document.cost_analysis.total_cost') AS DOUBLE) AS stated_cost,
    try_cast(json_extract_string(metadata, '$.document.cost_analysis.cost_per_token') AS DOUBLE)
        AS stated_cost_per_token,
    try_cast(json_extract_string(metadata, '$.document.cost_analysis.cost_per_score') AS DOUBLE)
        AS stated_cost_per_passed,
    json_extract_string(metadata, '$.benchmark.latency') AS latency_kind,
    json_extract_string(metadata, '$.benchmark.comparison.best_overall') AS stated_best_overall,
    json_extract_string(metadata, '$.benchmark.comparison.best_value') AS stated_best_value,
    try_cast(json_extract_string(metadata, '$.benchmark.comparison.cost_savings') AS DOUBLE) AS stated_cost_savings
FROM jobs
WHERE list_contains($job_ids::VARCHAR[], job_id)
ORDER BY model;
