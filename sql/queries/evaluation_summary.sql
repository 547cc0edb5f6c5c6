-- The latest completed evaluation, how its score stands to a baseline, and the scores of the days before it.
-- The score of a day is that of its last run (UTC); a day without one is absent. Only runs of one series (dataset,
-- model, group) are compared: that of the latest.
WITH run AS (
    SELECT
        *,
        created_at::DATE AS date  -- sessions are in UTC
    FROM jobs
    WHERE
        ($workspace::VARCHAR IS NULL OR workspace = $workspace)
        AND kind = 'evaluation'
        AND status = 'completed'
        AND total_suites > 0
        AND ($job_ids::VARCHAR[] IS NULL OR list_contains($job_ids, job_id))
        AND ($dataset::VARCHAR IS NULL OR dataset = $dataset)
        AND ($model::VARCHAR IS NULL OR model = $model)
        AND ($group::VARCHAR IS NULL OR "group" = $group)
),

latest AS (
    SELECT * FROM run
    ORDER BY created_at DESC, job_id DESC
    LIMIT 1
),

series AS (
    SELECT run.*
    FROM run
    INNER JOIN latest
        ON
            run.workspace = latest.workspace
            AND run.dataset IS NOT DISTINCT FROM latest.dataset
            AND run.model IS NOT DISTINCT FROM latest.model
            AND run."group" IS NOT DISTINCT FROM latest."group"
    WHERE run.overall_score IS NOT NULL
),

day AS (
    SELECT
        series.date,
        arg_max(series.overall_score, (series.created_at, series.job_id)) AS score,
        arg_max(series.job_id, (series.created_at, series.job_id)) AS job_id,
        count(*) AS runs,
        sum(series.rows_total)::BIGINT AS rows_total
    FROM series, latest
    WHERE series.date > latest.date - $days::INTEGER
    GROUP BY series.date
),

before AS (
    SELECT
        CASE $baseline
            WHEN 'previous'
                THEN (
                    SELECT arg_max(series.overall_score, (series.created_at, series.job_id))
                    FROM series, latest
                    WHERE series.job_id <> latest.job_id
                )
            WHEN 'first_in_window'
                THEN (
                    SELECT arg_min(day.score, day.date) FROM day, latest
                    WHERE day.job_id <> latest.job_id
                )
            WHEN 'window_mean'
                THEN (
                    SELECT avg(day.score) FROM day, latest
                    WHERE day.job_id <> latest.job_id
                )
            WHEN 'job' THEN (
                SELECT any_value(overall_score) FROM jobs
                WHERE job_id = $baseline_job_id
            )
        END AS score,
        CASE $baseline
            WHEN 'previous'
                THEN (
                    SELECT arg_max(series.job_id, (series.created_at, series.job_id))
                    FROM series, latest
                    WHERE series.job_id <> latest.job_id
                )
            WHEN 'first_in_window'
                THEN (
                    SELECT arg_min(day.job_id, day.date) FROM day, latest
                    WHERE day.job_id <> latest.job_id
                )
            WHEN 'job' THEN $baseline_job_id
        END AS job_id
),

-- Metrics that scored in the baseline and not in the latest run: without them the score is one of others.
lost AS (
    SELECT
        list_sort(
            list_filter(
                scaled_metrics(jobs.suites),
                lambda m: NOT coalesce(list_contains(scaled_metrics(latest.suites), m), FALSE)
            )
        ) AS metrics
    FROM jobs, before, latest
    WHERE jobs.job_id = before.job_id
),

class AS (
    SELECT DISTINCT ON (metric)
        metric,
        "class"
    FROM (
        SELECT
            metric.metric,
            metric."class",
            0 AS place
        FROM metric, latest
        WHERE metric.workspace = latest.workspace AND metric."class" IS NOT NULL
        UNION ALL
        SELECT unnested.declared.metric, unnested.declared."class", 1 AS place
        FROM latest, unnest(latest.metrics) AS unnested (declared)
        WHERE unnested.declared."class" IS NOT NULL
    ) AS told
    ORDER BY metric, place
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
