-- The stored aggregates in full shape: percentiles p10 .. p100 (numpy: weibull), histogram bins with bounds.
CREATE OR REPLACE VIEW aggregate_scores AS
SELECT
    job.workspace,
    job.name AS job,
    a.job_id,
    job.status,
    job.dataset,
    job.model,
    a.suite,
    a.metric,
    a.name,
    a.score_type,
    a."count",
    a.nan_count,
    a.inf_count,
    a.out_of_range,
    a."sum",
    a.mean,
    a.minimum AS "min",
    a.maximum AS "max",
    a.std_dev,
    a.variance,
    a.sample_std_dev,
    a.sample_variance,
    a.std_error,
    a.median,
    full_percentiles(a.percentiles) AS percentiles,
    full_histogram(a.histogram, a.minimum, a.maximum) AS histogram,
    a.rubric_distribution,
    a.mode_category,
    a.passed,
    a.evaluated,
    a.rows_scored,
    a.rows_unscored,
    a.rows_error,
    a.rows_total,
    a.items_scored,
    a.clusters,
    coalesce(a.is_told, FALSE) AS is_told
FROM aggregate_score AS a
INNER JOIN job ON a.job_id = job.job_id;
COMMENT ON VIEW aggregate_scores IS
'One line per (job, suite, metric, name): statistics over the scored rows, beside how many rows were scored, unscored, in error, in all.';
