-- The statistics of each group that come from its scores alone, whatever rows they stand on.
CREATE OR REPLACE MACRO score_spread(counted_score) AS TABLE
    WITH collected AS (
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
            unit_between(min("value"), max("value")) AS unit,
            bin_start(min("value"), max("value")) AS bin_start,
            CASE WHEN min("value") < max("value") THEN bin_width(min("value"), max("value")) END AS bin_width,
            CASE WHEN count(passed) > 0 THEN count(*) FILTER (WHERE passed) END AS passed,
            nullif(count(passed), 0) AS evaluated,
            histogram(label) FILTER (WHERE label IS NOT NULL) AS labels,
            count("value") AS n,
            count(*) FILTER (WHERE state = 'scored') AS rows_scored,
            count(*) FILTER (WHERE state = 'error') AS rows_error
        FROM query_table(counted_score)
        GROUP BY group_id
    )

    SELECT
        * EXCLUDE (ordered, unit, bin_start, bin_width),
        sum_of_squares(ordered, mean) AS squares,
        bins_of(ordered, unit, bin_start, bin_width) AS bins,
        CASE WHEN n > 0 THEN weibull_percentiles(ordered) END AS percentiles
    FROM collected;
