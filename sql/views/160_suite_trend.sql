-- Every completed job as a point of its series (workspace, dataset, model, group, suite).
CREATE OR REPLACE VIEW suite_trend AS
SELECT * FROM suite_trend_from('aggregate_score');
COMMENT ON VIEW suite_trend IS
'Overall score of a suite over the jobs of a series, with its 95 % interval: previous, delta, whether the rows changed, mean and sample deviation over the last five points (moving_*) and over the last seven UTC days (days_*).';
