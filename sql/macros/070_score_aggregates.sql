-- The statistics of every (job, suite, metric, name, slice), lean as the table aggregate_score holds them: one text
-- for the commit of a job, for slices and for other error policies. Population and sample spread stand apart;
-- percentiles are numpy's `weibull`; std_error = sample deviation of the item means / sqrt(items): repetitions of an
-- item are averaged first, and where rows name a cluster it is the cluster-robust error of the mean with the factor G
-- / (G - 1).
CREATE OR REPLACE MACRO score_aggregates(errors := 'exclude', slice_source := NULL, slice_path := NULL) AS TABLE
    WITH outcome AS MATERIALIZED (
        SELECT * FROM row_outcomes(errors := errors, slice_source := slice_source, slice_path := slice_path)
    ),

    spread AS (
        SELECT
            job_id, suite, metric, name, slice,
            count(*) FILTER (WHERE is_counted) AS "count",
            count(*) FILTER (WHERE is_nan) AS nan_count,
            count(*) FILTER (WHERE is_inf) AS inf_count,
            count(*) FILTER (WHERE is_out_of_range) AS out_of_range,
            fsum(value) AS "sum",
            favg(value) AS mean,
            min(value) AS minimum,
            max(value) AS maximum,
            median(value) AS median,
            list(value ORDER BY value) FILTER (WHERE value IS NOT NULL) AS ordered,
            CASE WHEN count(passed) > 0 THEN count(*) FILTER (WHERE passed) END AS passed,
            nullif(count(passed), 0) AS evaluated,
            histogram(label) FILTER (WHERE label IS NOT NULL) AS labels,
            count(DISTINCT "cluster") AS clusters
        FROM outcome
        GROUP BY ALL
    ),

    per_row AS (
        SELECT
            job_id, suite, metric, name, slice, row_key, repetition,
            any_value("cluster") AS "cluster",
            bool_or(state = 'scored') AS is_scored,
            bool_or(state = 'error') AS is_error,
            sum(value) AS value_sum,
            count(value) AS value_count
        FROM outcome
        GROUP BY ALL
    ),

    per_item AS (
        SELECT
            job_id, suite, metric, name, slice, row_key,
            any_value("cluster") AS "cluster",
            count(*) AS rows_total,
            count(*) FILTER (WHERE is_scored) AS rows_scored,
            count(*) FILTER (WHERE is_error AND NOT is_scored) AS rows_error,
            sum(value_sum) / nullif(sum(value_count), 0) AS item_mean
        FROM per_row
        GROUP BY ALL
    ),

    coverage AS (
        SELECT
            job_id, suite, metric, name, slice,
            sum(rows_total)::BIGINT AS rows_total,
            sum(rows_scored)::BIGINT AS rows_scored,
            sum(rows_error)::BIGINT AS rows_error,
            count(item_mean) AS items_scored,
            avg(item_mean) AS mean_of_items
        FROM per_item
        GROUP BY ALL
    ),

    per_cluster AS (
        SELECT
            item.job_id, item.suite, item.metric, item.name, item.slice,
            coalesce('cluster ' || item."cluster", 'item ' || item.row_key) AS unit,
            sum(item.item_mean - coverage.mean_of_items) AS residual
        FROM per_item AS item
        INNER JOIN coverage
            ON
                item.job_id = coverage.job_id
                AND item.suite = coverage.suite
                AND item.metric = coverage.metric
                AND item.name = coverage.name
                AND item.slice IS NOT DISTINCT FROM coverage.slice
        WHERE item.item_mean IS NOT NULL
        GROUP BY ALL
    ),

    error_of_mean AS (
        SELECT
            job_id, suite, metric, name, slice,
            count(*) AS units,
            sqrt(sum(residual * residual) * count(*) / nullif(count(*) - 1, 0)) AS root
        FROM per_cluster
        GROUP BY ALL
    )

    SELECT
        spread.job_id,
        spread.suite,
        spread.metric,
        spread.name,
        spread.slice,
        measure.score_type,
        spread."count",
        spread.nan_count,
        spread.inf_count,
        spread.out_of_range,
        finite(spread."sum") AS "sum",
        finite(spread.mean) AS mean,
        spread.minimum,
        spread.maximum,
        finite(squares / n) AS variance,
        finite(sqrt(squares / n)) AS std_dev,
        finite(squares / nullif(n - 1, 0)) AS sample_variance,
        finite(sqrt(squares / nullif(n - 1, 0))) AS sample_std_dev,
        finite(error_of_mean.root / coverage.items_scored) AS std_error,
        finite(spread.median) AS median,
        CASE WHEN measure.score_type = 'range' AND n > 0 THEN weibull_percentiles(ordered) END AS percentiles,
        CASE
            WHEN measure.score_type <> 'range' THEN NULL
            WHEN spread.n IS NULL THEN []
            WHEN spread.minimum = spread.maximum THEN [spread.n]
            ELSE differences(spread.below)
        END::UINTEGER[] AS histogram,
        CASE WHEN measure.score_type = 'rubric' THEN label_distribution(measure.rubric, spread.labels) END
            AS rubric_distribution,
        CASE WHEN measure.score_type = 'rubric' THEN mode_label(spread.labels) END AS mode_category,
        spread.passed,
        spread.evaluated,
        coverage.rows_scored,
        coverage.rows_total - coverage.rows_scored - coverage.rows_error AS rows_unscored,
        coverage.rows_error,
        coverage.rows_total,
        coverage.items_scored,
        nullif(spread.clusters, 0) AS clusters
    FROM (
        SELECT
            *,
            len(ordered) AS n,
            squared_deviations(ordered, mean) AS squares,
            counts_below_edges(ordered) AS below
        FROM spread
    ) AS spread
    INNER JOIN measure
        ON
            spread.job_id = measure.job_id
            AND spread.suite = measure.suite
            AND spread.metric = measure.metric
            AND spread.name = measure.name
    INNER JOIN coverage
        ON
            spread.job_id = coverage.job_id
            AND spread.suite = coverage.suite
            AND spread.metric = coverage.metric
            AND spread.name = coverage.name
            AND spread.slice IS NOT DISTINCT FROM coverage.slice
    LEFT JOIN error_of_mean
        ON
            spread.job_id = error_of_mean.job_id
            AND spread.suite = error_of_mean.suite
            AND spread.metric = error_of_mean.metric
            AND spread.name = error_of_mean.name
            AND spread.slice IS NOT DISTINCT FROM error_of_mean.slice;
