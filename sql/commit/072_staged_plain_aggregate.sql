-- The aggregates of the jobs being committed, where all their rows are plain.
CREATE OR REPLACE TEMP TABLE staged_aggregate AS
SELECT * EXCLUDE (slice) FROM plain_score_aggregates();
