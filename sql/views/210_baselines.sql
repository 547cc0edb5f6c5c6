-- Every version of every baseline; the last one of a name is current, unless it was taken away.
CREATE OR REPLACE VIEW baselines AS
SELECT
    *,
    job_id IS NOT NULL AND version = max(version) OVER (PARTITION BY workspace, baseline) AS is_current
FROM baseline;
COMMENT ON VIEW baselines IS
'Every version of every baseline: when it was set, to which job (none: taken away), at which commit, and why.';
