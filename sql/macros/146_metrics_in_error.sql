-- Whether a metric takes part in overall scores by the declarations made with a job; null where they do not tell, as of
-- one that may yet have pass/fail. Those of one name go before those of the whole metric.
CREATE OR REPLACE MACRO declared_scale(declarations, metric_key, score_name) AS
list_transform(
    list_concat(
        list_filter(declarations, lambda d: d.metric = metric_key AND d.name = score_name),
        list_filter(declarations, lambda d: d.metric = metric_key AND d.name IS NULL)
    ),
    lambda d: CASE WHEN d.threshold IS NOT NULL OR (d.minimum = 0 AND d.maximum = 1) THEN TRUE END
)[1];

-- The metrics of jobs that have no score, only errors, and what is known of them from their declarations and from the
-- jobs of their series that have scores: whether they take part in overall scores (null: nobody knows), whether they
-- have pass/fail, and the worst that they were. Under a policy for errors such a metric counts as others do.
CREATE OR REPLACE MACRO metrics_in_error() AS TABLE
    WITH known AS (
        SELECT
            m.workspace,
            m.dataset,
            m.model,
            m."group",
            m.suite,
            m.metric,
            m.name,
            bool_or(m.is_scaled) AS is_scaled,
            bool_or(m.evaluated IS NOT NULL) AS is_judged,
            bool_and(m.evaluated IS NOT NULL AND abs(a.mean - m.passed / m.evaluated) < 1e-9) AS is_rate,
            min(a.minimum) AS lowest,
            max(a.maximum) AS highest
        FROM suite_metrics AS m
        INNER JOIN aggregate_score AS a
            ON m.job_id = a.job_id AND m.suite = a.suite AND m.metric = a.metric AND m.name = a.name
        WHERE m.rows_scored > 0
        GROUP BY ALL
    )

    SELECT
        m.job_id,
        m.suite,
        m.metric,
        m.name,
        coalesce(
            declared_scale(job.metrics, m.metric, m.name), known.is_scaled, CASE WHEN m.rows_scored > 0 THEN FALSE END
        ) AS is_scaled,
        coalesce(known.is_judged, FALSE) AS is_judged,
        CASE
            WHEN NOT declared_direction(job.metrics, m.metric, m.name)
                THEN CASE WHEN known.is_rate THEN 1 ELSE known.highest END
            WHEN known.is_rate THEN 0
            ELSE known.lowest
        END AS worst
    FROM suite_metrics AS m
    INNER JOIN job ON m.job_id = job.job_id
    LEFT JOIN known
        ON
            m.workspace = known.workspace
            AND m.dataset IS NOT DISTINCT FROM known.dataset
            AND m.model IS NOT DISTINCT FROM known.model
            AND m."group" IS NOT DISTINCT FROM known."group"
            AND m.suite = known.suite
            AND m.metric = known.metric
            AND m.name = known.name
    WHERE m.score IS NULL AND m.rows_error > 0;
