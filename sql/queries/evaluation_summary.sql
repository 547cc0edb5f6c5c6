-- The latest completed evaluation, how its score stands to a baseline, and the scores of the days before it.
-- The score of a day is that of its last run (UTC); a day without one is absent. Only runs of one series (dataset,
-- model, group) are compared: that of the latest.
WITH run AS (  -- noqa: ST03
    SELECT * FROM completed_evaluations($workspace::VARCHAR, $job_ids::VARCHAR[], $dataset, $model, $group)
),

latest AS (
    SELECT * FROM latest_evaluation('run')
),

series AS (  -- noqa: ST03
    SELECT * FROM evaluation_series('run', 'latest')
),

day AS (
    SELECT * FROM evaluation_days('series', 'latest', $days::INTEGER)
),

before AS (
    SELECT * FROM evaluation_baseline('series', 'day', 'latest', $baseline, $baseline_job_id)
),

lost AS (
    SELECT metrics FROM lost_metrics('latest', 'before')
),

class AS (
    SELECT * FROM classes_of_metrics('latest')
)

SELECT
    latest.name AS job,
    latest.dataset,
    latest.model,
    latest."group",
    latest.created_at AS latest_evaluation,
    latest.total_suites,
    latest.overall_score,
    latest.pass_rate,
    latest.total_metrics,
    latest.total_passed,
    latest.total_evaluated,
    (
        SELECT sum(unnested.measured.rows_error)::BIGINT
        FROM unnest(flatten(list_transform(latest.suites, lambda suite: suite.metrics))) AS unnested (measured)
    ) AS scores_error,
    before.score AS baseline_score,
    latest.overall_score - before.score AS score_change,
    CASE
        WHEN (SELECT len(metrics) FROM lost) > 0 THEN 'insufficient_data'
        WHEN latest.overall_score - before.score > $epsilon THEN 'improving'
        WHEN latest.overall_score - before.score < -$epsilon THEN 'declining'
        WHEN latest.overall_score - before.score IS NULL THEN 'insufficient_data'
        ELSE 'stable'
    END AS trend,
    (SELECT metrics FROM lost) AS not_scored,
    (SELECT list({'date': date, 'score': score, 'runs': runs, 'rows': rows_total} ORDER BY date) FROM day) AS days,
    (
        SELECT list(metric ORDER BY metric) FROM class
        WHERE "class" = 'critical'
    ) AS critical_metrics,
    (
        SELECT list(metric ORDER BY metric) FROM class
        WHERE "class" = 'performance'
    ) AS performance_metrics
FROM latest, before;
