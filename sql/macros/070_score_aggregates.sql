-- The statistics of every (job, suite, metric, name, slice), lean as the table aggregate_score holds them: one text
-- for the commit of a job, for slices and for other error policies. Population and sample spread stand apart;
-- percentiles are numpy's `weibull`; std_error = sample deviation of the item means / sqrt(items): repetitions of an
-- item are averaged first, and where rows name a cluster it is the cluster-robust error of the mean with the factor G
-- / (G - 1).
CREATE OR REPLACE MACRO score_aggregates(errors := 'exclude', slice_source := NULL, slice_path := NULL) AS TABLE
    WITH outcome AS MATERIALIZED (
        SELECT * FROM row_outcomes(errors := errors, slice_source := slice_source, slice_path := slice_path)
    ),

    score_group AS MATERIALIZED (
        SELECT
            row_number() OVER () AS group_id,
            *
        FROM (SELECT DISTINCT job_id, suite, metric, name, slice FROM outcome) AS groups
    ),

    member AS MATERIALIZED (
        SELECT
            score_group.group_id,
            outcome.* EXCLUDE (job_id, suite, metric, name, slice)
        FROM outcome
        INNER JOIN score_group
            ON
                outcome.job_id = score_group.job_id
                AND outcome.suite = score_group.suite
                AND outcome.metric = score_group.metric
                AND outcome.name = score_group.name
                AND outcome.slice IS NOT DISTINCT FROM score_group.slice
    ),

    spread AS (
        SELECT
            group_id,
            count(*) FILTER (WHERE is_counted) AS "count",
            count(*) FILTER (WHERE is_nan) AS nan_count,
            count(*) FILTER (WHERE is_inf) AS inf_count,
            count(*) FILTER (WHERE is_out_of_range) AS out_of_range,
            fsum("value") AS "sum",
            favg("value") AS mean,
            min("value") AS minimum,
            max("value") AS maximum,
            median("value") AS median,
            list("value" ORDER BY "value") FILTER (WHERE "value" IS NOT NULL) AS ordered,
            CASE WHEN count(passed) > 0 THEN count(*) FILTER (WHERE passed) END AS passed,
            nullif(count(passed), 0) AS evaluated,
            histogram(label) FILTER (WHERE label IS NOT NULL) AS labels,
            count(DISTINCT "cluster") AS clusters
        FROM member
        GROUP BY group_id
    ),

    second_pass AS (
        SELECT
            member.group_id,
            count(*) AS n,
            fsum((member.value - spread.mean) * (member.value - spread.mean)) AS squares,
            histogram(bin_of(member.value, spread.minimum, spread.maximum)) AS bins
        FROM member
        INNER JOIN spread ON member.group_id = spread.group_id
        WHERE member.value IS NOT NULL
        GROUP BY member.group_id
    ),

    per_row AS (
        SELECT
            group_id,
            row_key,
            repetition,
            any_value("cluster") AS "cluster",
            bool_or(state = 'scored') AS is_scored,
            bool_or(state = 'error') AS is_error,
            sum("value") AS value_sum,
            count("value") AS value_count
        FROM member
        GROUP BY group_id, row_key, repetition
    ),

    per_item AS (
        SELECT
            group_id,
            coalesce('cluster ' || any_value("cluster"), 'item ' || row_key) AS unit,
            count(*) AS rows_total,
            count(*) FILTER (WHERE is_scored) AS rows_scored,
            count(*) FILTER (WHERE is_error AND NOT is_scored) AS rows_error,
            sum(value_sum) / nullif(sum(value_count), 0) AS item_mean
        FROM per_row
        GROUP BY group_id, row_key
    ),

    coverage AS (
        SELECT
            group_id,
            sum(rows_total)::BIGINT AS rows_total,
            sum(rows_scored)::BIGINT AS rows_scored,
            sum(rows_error)::BIGINT AS rows_error,
            count(item_mean) AS items_scored,
            avg(item_mean) AS mean_of_items
        FROM per_item
        GROUP BY group_id
    ),

    per_unit AS (
        SELECT
            item.group_id,
            sum(item.item_mean - coverage.mean_of_items) AS residual
        FROM per_item AS item
        INNER JOIN coverage ON item.group_id = coverage.group_id
        WHERE item.item_mean IS NOT NULL
        GROUP BY item.group_id, item.unit
    ),

    error_of_mean AS (
        SELECT
            group_id,
            sqrt(sum(residual * residual) * count(*) / nullif(count(*) - 1, 0)) AS root
        FROM per_unit
        GROUP BY group_id
    )

    SELECT
        score_group.* EXCLUDE (group_id),
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
        CASE WHEN measure.score_type = 'range' THEN bin_counts(bins, spread.minimum, spread.maximum) END AS histogram,
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
    FROM score_group
    INNER JOIN spread ON score_group.group_id = spread.group_id
    INNER JOIN coverage ON score_group.group_id = coverage.group_id
    LEFT JOIN second_pass ON score_group.group_id = second_pass.group_id
    LEFT JOIN error_of_mean ON score_group.group_id = error_of_mean.group_id
    INNER JOIN measure
        ON
            score_group.job_id = measure.job_id
            AND score_group.suite = measure.suite
            AND score_group.metric = measure.metric
            AND score_group.name = measure.name;
