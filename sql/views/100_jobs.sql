-- One line per job, whatever its status, with its totals.
CREATE OR REPLACE VIEW jobs AS
SELECT * EXCLUDE (job_number, deleted_at) FROM job;
COMMENT ON VIEW jobs IS 'One line per job, whatever its status: references, labels, totals, cost, latency, git state.';
