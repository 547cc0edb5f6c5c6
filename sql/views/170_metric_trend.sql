-- Every completed job as a point of its series (workspace, dataset, model, group, suite, metric, name).
CREATE OR REPLACE VIEW metric_trend AS
SELECT * FROM metric_trend_from('aggregate_score');
COMMENT ON VIEW metric_trend IS
'Mean of a metric over the jobs of a series, with its 95 % interval: previous, delta, whether the rows changed, mean and sample deviation over the last five points (moving_*) and over the last seven UTC days (days_*).';
