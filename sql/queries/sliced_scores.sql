-- The aggregate scores of one job per slice of its rows, or under another policy for errors.
SELECT
    suite,
    metric,
    name,
    slice,
    score_type,
    "count",
    nan_count,
    inf_count,
    out_of_range,
    "sum",
    mean,
    minimum AS "min",
    maximum AS "max",
    std_dev,
    variance,
    sample_std_dev,
    sample_variance,
    std_error,
    median,
    full_percentiles(percentiles) AS percentiles,
    full_histogram(histogram, minimum, maximum) AS histogram,
    rubric_distribution,
    mode_category,
    passed,
    evaluated,
    rows_scored,
    rows_unscored,
    rows_error,
    rows_total,
    items_scored,
    clusters
FROM
    score_aggregates(
        errors := $errors, slice_source := $slice_source, slice_path := $slice_path,
        cluster_source := $cluster_source, cluster_path := $cluster_path
    )
WHERE
    job_id = $job_id
    AND ($metric::VARCHAR IS NULL OR metric = $metric)
    AND ($suite::VARCHAR IS NULL OR suite = $suite)
ORDER BY suite, metric, name, slice;
