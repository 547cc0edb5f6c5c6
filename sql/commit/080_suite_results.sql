-- Per job and suite: its metrics and their overall score. A metric takes part in an overall score when it has pass/fail
-- (then with its pass rate) or a declared range 0..1 (then with its mean, turned round when lower is better).
CREATE OR REPLACE TEMP TABLE suite_result AS
WITH scaled AS (
    SELECT
        aggregate.*,
        CASE
            WHEN aggregate.evaluated IS NOT NULL THEN aggregate.passed / aggregate.evaluated
            WHEN measure.minimum = 0 AND measure.maximum = 1
                THEN CASE WHEN measure.higher_is_better THEN aggregate.mean ELSE 1 - aggregate.mean END
        END AS scaled_score
    FROM staged_aggregate AS aggregate
    INNER JOIN measure
        ON
            aggregate.job_id = measure.job_id
            AND aggregate.suite = measure.suite
            AND aggregate.metric = measure.metric
            AND aggregate.name = measure.name
),

metrics AS (
    SELECT
        job_id,
        suite,
        avg(scaled_score) AS overall_score,
        sum(passed) / nullif(sum(evaluated), 0) AS pass_rate,
        count(*) FILTER (WHERE scaled_score IS NULL) AS metrics_unscaled,
        list({
            'metric': metric,
            'name': name,
            'score': coalesce(scaled_score, mean),
            'passed': passed,
            'total': rows_total,
            'evaluated': evaluated,
            'rows_scored': rows_scored,
            'rows_unscored': rows_unscored,
            'rows_error': rows_error,
            'is_scaled': scaled_score IS NOT NULL
        } ORDER BY metric, name) AS metrics
    FROM scaled
    GROUP BY job_id, suite
)

SELECT
    r.job_id,
    r.suite AS name,
    count(*) AS events_processed,
    any_value(metrics.overall_score) AS overall_score,
    any_value(metrics.pass_rate) AS pass_rate,
    coalesce(any_value(metrics.metrics_unscaled), 0) AS metrics_unscaled,
    rows_digest(r.row_key, r.row_hash) AS rows_digest,
    list_sort(list_distinct(coalesce(flatten(list(r.tags)), []))) AS tags,
    date_diff('microseconds', min(r.started_at), max(r.finished_at)) / 1e6 AS duration,
    count(*) FILTER (WHERE r.error IS NOT NULL) AS rows_error,
    min(r.error) AS error,
    coalesce(any_value(metrics.metrics), []) AS metrics
FROM rows AS r
LEFT JOIN metrics ON r.job_id = metrics.job_id AND r.suite = metrics.suite
GROUP BY r.job_id, r.suite
ORDER BY r.job_id, min(r.row_index), r.suite;
