-- The statistics of every (job, suite, metric, name, slice), lean as the table aggregate_score holds them: one text
-- for the commit of a job, for slices and for other error policies. Population and sample spread stand apart;
-- percentiles are numpy's `weibull`; std_error = sample deviation of the item means / sqrt(items): repetitions of an
-- item are averaged first, and where rows name a cluster it is the cluster-robust error of the mean with the factor G
-- / (G - 1); an item whose repetitions name several clusters belongs to that of the lowest repetition that names one.
-- Every row of a suite counts in every metric that was measured there, so that nothing drops out of a total
-- unseen.
CREATE OR REPLACE MACRO score_aggregates(errors := 'exclude', slice_source := NULL, slice_path := NULL) AS TABLE
    WITH sliced_row AS MATERIALIZED (
        SELECT
            r.job_id,
            r.suite,
            row_field(
                slice_source, slice_path, r.suite, r.row_key, r.repetition, r."cluster", r.tags, r.error, r.latency,
                r.cost, r.total_tokens, r.item, r.sample, r.reference, r.metadata
            ) AS slice,
            r.repetition,
            r."cluster",
            r.error IS NOT NULL AS is_failed,
            -- Other rows tell nothing but that they are there: they are counted, and not looked up for each score.
            CASE
                WHEN slice_source IS NOT NULL OR r.error IS NOT NULL OR r."cluster" IS NOT NULL THEN r.row_key
            END AS telling_key
        FROM rows AS r
    ),

    slice_rows AS (
        SELECT
            job_id,
            suite,
            slice,
            count(*) AS rows_total,
            count(DISTINCT "cluster") AS clusters,
            max(repetition) AS last_repetition,
            count(telling_key) > 0 AS is_told
        FROM sliced_row
        GROUP BY job_id, suite, slice
    ),

    telling_row AS (
        SELECT
            sliced_row.*,
            measure.metric,
            measure.name
        FROM sliced_row
        INNER JOIN measure ON sliced_row.job_id = measure.job_id AND sliced_row.suite = measure.suite
        WHERE sliced_row.telling_key IS NOT NULL
    ),

    last_score AS (
        SELECT
            job_id,
            suite,
            metric,
            name,
            max(score_index) AS last_index
        FROM row_scores
        GROUP BY job_id, suite, metric, name
    ),

    found_group AS (
        SELECT
            row_number() OVER () AS group_id,
            measure.*,
            slice_rows.* EXCLUDE (job_id, suite),
            -- Elsewhere every score is a row and every row an item of its own, and the spread says it all.
            slice_rows.last_repetition > 0 OR slice_rows.clusters > 0 OR last_score.last_index > 0 AS is_repeated,
            value_of_error(
                errors, measure.score_type, measure.rubric, measure.is_boolean, measure.higher_is_better,
                measure.minimum, measure.maximum, measure.lowest, measure.highest
            ) AS value_of_error,
            list_transform(measure.rubric, lambda s: s.label) AS step_labels,
            list_transform(measure.rubric, lambda s: s.value) AS step_values
        FROM measure
        INNER JOIN slice_rows ON measure.job_id = slice_rows.job_id AND measure.suite = slice_rows.suite
        INNER JOIN last_score
            ON
                measure.job_id = last_score.job_id
                AND measure.suite = last_score.suite
                AND measure.metric = last_score.metric
                AND measure.name = last_score.name
    ),

    -- By way of one list, so that DuckDB expects few groups and many scores: it looks up the smaller side of a join.
    score_group AS MATERIALIZED (
        SELECT unnest(groups, max_depth := 2)
        FROM (SELECT list(found_group) AS groups FROM found_group) AS listed
    ),

    told_suite AS (
        SELECT DISTINCT
            job_id,
            suite
        FROM slice_rows
        WHERE is_told
    ),

    told_score AS (
        SELECT s.*
        FROM row_scores AS s
        SEMI JOIN told_suite ON s.job_id = told_suite.job_id AND s.suite = told_suite.suite
    ),

    -- The scores of suites with telling rows, and those rows where they lack a score.
    told AS MATERIALIZED (
        SELECT
            place.group_id,
            coalesce(s.row_key, r.telling_key) AS row_key,
            coalesce(s.repetition, r.repetition) AS repetition,
            r."cluster",
            place.is_repeated,
            place.value_of_error,
            place.is_judged OR place.threshold IS NOT NULL AS is_judged,
            outcome_state(s.status, s.value, place.score_type, r.is_failed) AS state,
            is_out_of_range(s.value, s.label, place.minimum, place.maximum, place.step_labels, place.step_values)
                AS is_beyond,
            s.value,
            s.label,
            s.passed
        FROM told_score AS s
        FULL JOIN telling_row AS r
            ON
                s.job_id = r.job_id
                AND s.suite = r.suite
                AND s.metric = r.metric
                AND s.name = r.name
                AND s.row_key = r.telling_key
                AND s.repetition = r.repetition
        INNER JOIN score_group AS place
            ON
                coalesce(s.job_id, r.job_id) = place.job_id
                AND coalesce(s.suite, r.suite) = place.suite
                AND coalesce(s.metric, r.metric) = place.metric
                AND coalesce(s.name, r.name) = place.name
                AND r.slice IS NOT DISTINCT FROM place.slice
    ),

    score AS NOT MATERIALIZED (
        SELECT *
        FROM told
        UNION ALL
        SELECT
            place.group_id,
            s.row_key,
            s.repetition,
            NULL AS "cluster",
            place.is_repeated,
            place.value_of_error,
            place.is_judged OR place.threshold IS NOT NULL AS is_judged,
            outcome_state(s.status, s.value, place.score_type, FALSE) AS state,
            FALSE AS is_beyond,
            s.value,
            s.label,
            s.passed
        FROM row_scores AS s
        INNER JOIN score_group AS place
            ON s.job_id = place.job_id AND s.suite = place.suite AND s.metric = place.metric AND s.name = place.name
        WHERE NOT place.is_told
    ),

    -- Of the other scores only those with a declaration are compared with it: to carry its lists along with each score
    -- takes longer than all else.
    beyond AS (
        SELECT
            place.group_id,
            count(*) FILTER (WHERE is_out_of_range(
                s.value, s.label, place.minimum, place.maximum, place.step_labels, place.step_values
            )) AS out_of_range
        FROM row_scores AS s
        INNER JOIN score_group AS place
            ON s.job_id = place.job_id AND s.suite = place.suite AND s.metric = place.metric AND s.name = place.name
        WHERE
            NOT place.is_told
            AND (place.minimum IS NOT NULL OR place.maximum IS NOT NULL OR place.rubric IS NOT NULL)
        GROUP BY place.group_id
    ),

    counted AS NOT MATERIALIZED (
        SELECT
            group_id,
            row_key,
            repetition,
            "cluster",
            is_repeated,
            state,
            value AS raw_value,
            is_beyond,
            state = 'scored' OR (state = 'error' AND errors <> 'exclude' AND value_of_error IS NOT NULL) AS is_counted,
            CASE
                WHEN state = 'scored' THEN value
                WHEN state = 'error' AND errors <> 'exclude' THEN value_of_error
            END AS value,
            CASE WHEN state = 'scored' THEN label END AS label,
            CASE
                WHEN state = 'scored' THEN passed
                WHEN state = 'error' AND errors <> 'exclude' AND is_judged THEN FALSE
            END AS passed
        FROM score
    ),

    spread AS MATERIALIZED (
        SELECT
            group_id,
            count(*) FILTER (WHERE is_counted) AS "count",
            count(*) FILTER (WHERE isnan(raw_value)) AS nan_count,
            count(*) FILTER (WHERE isinf(raw_value)) AS inf_count,
            count(*) FILTER (WHERE is_beyond) AS out_of_range,
            fsum("value") AS "sum",
            favg("value") AS mean,
            min("value") AS minimum,
            max("value") AS maximum,
            median("value") AS median,
            list("value" ORDER BY "value") FILTER (WHERE "value" IS NOT NULL) AS ordered,
            CASE WHEN count(passed) > 0 THEN count(*) FILTER (WHERE passed) END AS passed,
            nullif(count(passed), 0) AS evaluated,
            histogram(label) FILTER (WHERE label IS NOT NULL) AS labels,
            count("value") AS n,
            count(*) FILTER (WHERE state = 'scored') AS rows_scored,
            count(*) FILTER (WHERE state = 'error') AS rows_error
        FROM counted
        GROUP BY group_id
    ),

    per_row AS (
        SELECT
            counted.group_id,
            counted.row_key,
            counted.repetition,
            any_value(counted."cluster") AS "cluster",
            bool_or(counted.state = 'scored') AS is_scored,
            bool_or(counted.state = 'error') AS is_error,
            sum(counted."value") AS value_sum,
            count(counted."value") AS value_count
        FROM counted
        WHERE counted.is_repeated
        GROUP BY counted.group_id, counted.row_key, counted.repetition
    ),

    per_item AS (
        SELECT
            group_id,
            coalesce('cluster ' || arg_min("cluster", repetition), 'item ' || row_key) AS unit,
            count(*) FILTER (WHERE is_scored) AS rows_scored,
            count(*) FILTER (WHERE is_error AND NOT is_scored) AS rows_error,
            sum(value_sum) / nullif(sum(value_count), 0) AS item_mean
        FROM per_row
        GROUP BY group_id, row_key
    ),

    coverage AS (
        SELECT
            group_id,
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
            sum(residual * residual) AS squares,
            count(*) AS units
        FROM per_unit
        GROUP BY group_id
    ),

    -- Set down, since what is made from a whole list would be made again for each place that names it.
    found AS MATERIALIZED (
        SELECT
            score_group.* EXCLUDE (group_id, minimum, maximum),
            spread.* EXCLUDE (group_id, rows_scored, rows_error, "count", ordered, out_of_range),
            coalesce(spread.out_of_range, 0) + coalesce(beyond.out_of_range, 0) AS out_of_range,
            coalesce(spread."count", 0) AS "count",
            coalesce(coverage.rows_scored, spread.rows_scored, 0) AS rows_scored,
            coalesce(coverage.rows_error, spread.rows_error, 0) AS rows_error,
            coalesce(coverage.items_scored, spread.n, 0) AS items_scored,
            sum_of_squares(spread.ordered, spread.mean) AS squares,
            bins_of(spread.ordered, spread.minimum, spread.maximum) AS bins,
            CASE WHEN spread.n > 0 THEN weibull_percentiles(spread.ordered) END AS percentiles,
            error_of_mean.squares AS unit_squares,
            CASE WHEN score_group.is_repeated THEN error_of_mean.units ELSE spread.n END AS units
        FROM score_group
        LEFT JOIN spread ON score_group.group_id = spread.group_id
        LEFT JOIN beyond ON score_group.group_id = beyond.group_id
        LEFT JOIN coverage ON score_group.group_id = coverage.group_id
        LEFT JOIN error_of_mean ON score_group.group_id = error_of_mean.group_id
    )

    SELECT
        job_id,
        suite,
        metric,
        name,
        slice,
        score_type,
        "count",
        coalesce(nan_count, 0) AS nan_count,
        coalesce(inf_count, 0) AS inf_count,
        out_of_range,
        finite("sum") AS "sum",
        finite(mean) AS mean,
        minimum,
        maximum,
        finite(squares / n) AS variance,
        finite(sqrt(squares / n)) AS std_dev,
        finite(squares / nullif(n - 1, 0)) AS sample_variance,
        finite(sqrt(squares / nullif(n - 1, 0))) AS sample_std_dev,
        finite(
            sqrt(CASE WHEN is_repeated THEN unit_squares ELSE squares END * units / nullif(units - 1, 0)) / items_scored
        ) AS std_error,
        finite(median) AS median,
        CASE WHEN score_type = 'range' THEN percentiles END AS percentiles,
        CASE WHEN score_type = 'range' THEN bin_counts(bins, minimum, maximum) END
            AS histogram,
        CASE WHEN score_type = 'rubric' THEN label_distribution(rubric, labels) END AS rubric_distribution,
        CASE WHEN score_type = 'rubric' THEN mode_label(labels) END AS mode_category,
        passed,
        evaluated,
        rows_scored,
        rows_total - rows_scored - rows_error AS rows_unscored,
        rows_error,
        rows_total,
        items_scored,
        nullif(clusters, 0) AS clusters
    FROM found;
