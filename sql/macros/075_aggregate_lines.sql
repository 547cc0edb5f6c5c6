-- The line of table aggregate_score for each group, from all that was found of it. Population and sample spread stand
-- apart; percentiles are numpy's `weibull`; std_error = sample deviation of the item means / sqrt(items), and where
-- rows name a cluster the cluster-robust error of the mean with the factor G / (G - 1).
CREATE OR REPLACE MACRO aggregate_lines(found) AS TABLE
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
    FROM query_table(found);
