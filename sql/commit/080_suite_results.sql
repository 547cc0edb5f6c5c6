-- Per job and suite: its metrics and their overall score. A metric takes part in an overall score when it has pass/fail
-- (then with its pass rate) or a declared range 0..1 (then with its mean, turned round when lower is better).
-- What another tool has told of a suite goes before what its rows say.
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
    LEFT JOIN measure
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
),

digest AS (
    SELECT
        job_id,
        suite,
        distinct_rows_digest(row_key, row_hash) AS rows_digest
    FROM rows
    WHERE getvariable('are_distinct')
    GROUP BY job_id, suite
    UNION ALL
    SELECT
        job_id,
        suite,
        rows_digest(row_key, row_hash) AS rows_digest
    FROM rows
    WHERE NOT getvariable('are_distinct')
    GROUP BY job_id, suite
),

logged AS (
    SELECT
        job_id,
        suite,
        count(*) AS events_processed,
        list_sort(list_distinct(coalesce(flatten(list(tags) FILTER (WHERE tags IS NOT NULL)), []))) AS tags,
        date_diff('microseconds', min(started_at), max(finished_at)) / 1e6 AS duration,
        count(*) FILTER (WHERE error IS NOT NULL) AS rows_error,
        min(error) AS error,
        min(row_index) AS first_index
    FROM rows
    GROUP BY job_id, suite
)

SELECT
    coalesce(logged.job_id, told.job_id) AS job_id,
    coalesce(logged.suite, told.suite) AS name,
    coalesce(told.events_processed, logged.events_processed, 0) AS events_processed,
    metrics.overall_score,
    metrics.pass_rate,
    coalesce(metrics.metrics_unscaled, 0) AS metrics_unscaled,
    digest.rows_digest,
    coalesce(told.tags, logged.tags, []) AS tags,
    coalesce(told.duration, logged.duration) AS duration,
    coalesce(logged.rows_error, 0) AS rows_error,
    told.status,
    coalesce(told.error, logged.error) AS error,
    coalesce(metrics.metrics, []) AS metrics
FROM logged
FULL JOIN told_suite AS told ON logged.job_id = told.job_id AND logged.suite = told.suite
LEFT JOIN digest ON logged.job_id = digest.job_id AND logged.suite = digest.suite
LEFT JOIN metrics
    ON coalesce(logged.job_id, told.job_id) = metrics.job_id AND coalesce(logged.suite, told.suite) = metrics.suite
ORDER BY job_id, coalesce(told.position, logged.first_index), name;
