-- The aggregates of the jobs being committed.
CREATE OR REPLACE TEMP TABLE staged_aggregate AS
SELECT * EXCLUDE (slice) FROM score_aggregates();
