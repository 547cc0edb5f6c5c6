-- The leaderboard with errors left out of the means (and counted beside them).
CREATE OR REPLACE VIEW leaderboard AS
SELECT * FROM ranked_models('aggregate_score');
COMMENT ON VIEW leaderboard IS
'The latest completed job per model within one dataset, ranked per suite and metric over the same rows; comparable = false where the rows differ.';
